"""Contract files and audit logs are checked, the results are stored, and the gate reads the last one."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from consent.models import Consent, Contract
from consent.services.evidence_checks import (
    CHANGED,
    check_all_evidence,
    check_contract_file,
    check_evidence_for_build,
    check_history,
    find_last_night,
)
from consent.services.gate import BuildPurpose, check_permission
from tests.consent.rows import PROVIDER, ConsentFactory
from tests.support.pdfs import make_pdf
from voicehub.retry_policy import EVIDENCE_CHECK_RETRY
from voicehub.storage import StorageUnavailable

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    consent = factory.make_approved_consent()
    factory.make_contract(consent.talent)
    return consent


@pytest.fixture
def contract(consent: Consent) -> Contract:
    return consent.talent.contracts.get()


def get_path(contract: Contract) -> Path:
    return Path(contract.file.path)


def change_event(consent: Consent, sequence: int, actor_name: str) -> None:
    with connection.cursor() as cursor:
        event = consent.events.get(sequence=sequence)
        cursor.execute("UPDATE consent_event SET actor_name = %s WHERE id = %s", [actor_name, event.pk])


def list_reasons(consent: Consent) -> tuple[str, ...]:
    return check_permission(BuildPurpose(consent.talent, PROVIDER, consent.purpose, "", ())).reasons


def run_nightly_check() -> timedelta:
    return check_all_evidence(lambda: None)


# --- Contract files ---------------------------------------------------------------------


def test_filed_contract_is_read_back(contract: Contract) -> None:
    assert contract.file_problem == "" and contract.file_checked_at is not None


def test_contract_that_storage_truncates_is_refused_at_once(
    factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, save = Contract.file.field.storage, type(Contract.file.field.storage).save

    def save_half(self: Any, name: str, content: Any, **options: Any) -> str:
        stored = save(self, name, content, **options)
        path = Path(self.path(stored))
        path.write_bytes(path.read_bytes()[:100])
        return stored

    monkeypatch.setattr(type(storage), "save", save_half)
    assert factory.make_contract(factory.make_talent()).file_problem == CHANGED


def lose(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(lose, "The file is missing."), (truncate, CHANGED), (replace_by_folder, "The file cannot be read.")],
)
def test_damaged_contract_file_closes_the_gate_until_it_is_restored(
    consent: Consent, contract: Contract, damage: Any, problem: str
) -> None:
    path = get_path(contract)
    damage(path)
    assert list_reasons(consent) == (), "the gate reads only the last stored result"
    assert check_contract_file(contract) == problem
    (reason,) = list_reasons(consent)
    assert reason.startswith(f"The contract file is missing or was changed: {problem}")
    assert "Ask an admin to restore the file of the contract signed on January 2, 2025" in reason
    if path.is_dir():
        path.rmdir()
    path.write_bytes(make_pdf())
    assert list_reasons(consent) != (), "only a check opens the gate again"
    assert check_contract_file(contract) == ""
    assert list_reasons(consent) == ()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "contracts"])
def test_contract_whose_row_names_another_path_counts_as_lost(contract: Contract, name: str) -> None:
    Contract.objects.filter(pk=contract.pk).update(file=name)
    contract.refresh_from_db()
    assert check_contract_file(contract) in {"The file is missing.", "The file cannot be read."}


def fail_to_open(*_arguments: Any) -> None:
    raise TimeoutError("The server does not respond.")


def test_storage_that_does_not_respond_changes_no_result(
    consent: Consent, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked_at = contract.file_checked_at
    monkeypatch.setattr(type(contract.file.storage), "_open", fail_to_open)
    with pytest.raises(StorageUnavailable):
        check_contract_file(contract)
    check_evidence_for_build(BuildPurpose(consent.talent, PROVIDER, consent.purpose, "", ()))
    contract.refresh_from_db()
    assert (contract.file_problem, contract.file_checked_at) == ("", checked_at)
    Contract.objects.update(file_problem=CHANGED)
    with pytest.raises(StorageUnavailable):
        check_contract_file(contract)
    assert Contract.objects.get().file_problem == CHANGED, "a result stays until a check reads the file"


def test_missing_folder_of_all_files_is_not_taken_for_a_lost_file(
    contract: Contract, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contract.file.storage, "_location", str(tmp_path / "not-mounted"))
    for name in ("base_location", "location"):
        contract.file.storage.__dict__.pop(name, None)
    try:
        with pytest.raises(StorageUnavailable):
            check_contract_file(contract)
    finally:
        for name in ("base_location", "location"):
            contract.file.storage.__dict__.pop(name, None)


# --- Audit logs -------------------------------------------------------------------------


def test_damaged_audit_log_closes_the_gate_until_it_is_restored(consent: Consent) -> None:
    name = consent.events.get(sequence=2).actor_name
    change_event(consent, 2, "Another Person")
    assert list_reasons(consent) == ()
    assert check_history(consent) == 2
    (reason,) = list_reasons(consent)
    assert reason.startswith("The audit log of this consent is damaged at entry 2. Ask an admin to restore it")
    change_event(consent, 2, name)
    assert check_history(consent) is None
    assert list_reasons(consent) == ()


# --- At the start of a build ------------------------------------------------------------


def test_check_before_a_build_finds_what_was_damaged_since_the_last_check(consent: Consent, contract: Contract) -> None:
    truncate(get_path(contract))
    change_event(consent, 1, "Another Person")
    check_evidence_for_build(BuildPurpose(consent.talent, PROVIDER, consent.purpose, "", ()))
    assert len(list_reasons(consent)) == 2


def test_check_before_a_build_goes_on_to_the_contract_that_the_gate_names_next(
    factory: ConsentFactory, consent: Consent, contract: Contract
) -> None:
    other = factory.make_contract(consent.talent)
    lose(get_path(contract))
    lose(get_path(other))
    check_evidence_for_build(BuildPurpose(consent.talent, PROVIDER, consent.purpose, "", ()))
    assert Contract.objects.exclude(file_problem="").count() == 2
    get_path(other).write_bytes(make_pdf())
    check_contract_file(other)
    assert list_reasons(consent) == (), "one whole contract is enough"


# --- At night ---------------------------------------------------------------------------


def age_checks() -> None:
    long_ago = timezone.now() - timedelta(days=3)
    Contract.objects.update(file_checked_at=long_ago)
    Consent.objects.update(history_checked_at=long_ago)


def test_nightly_check_covers_every_row_and_extends_the_lease(
    factory: ConsentFactory, consent: Consent, contract: Contract
) -> None:
    factory.make_contract(factory.make_talent())
    age_checks()
    lose(get_path(contract))
    change_event(consent, 1, "Another Person")
    heartbeats: list[None] = []
    check_all_evidence(lambda: heartbeats.append(None))
    contract.refresh_from_db()
    consent.refresh_from_db()
    assert (contract.file_problem, consent.broken_event, len(heartbeats)) == ("The file is missing.", 1, 4)
    assert Contract.objects.filter(file_problem="").count() == 1


def test_nightly_check_leaves_out_what_was_checked_since_the_night(contract: Contract) -> None:
    run_nightly_check()
    lose(get_path(contract))
    run_nightly_check()
    assert Contract.objects.get().file_problem == ""


def test_nightly_check_comes_back_soon_if_the_storage_does_not_respond(
    consent: Consent, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    age_checks()
    change_event(consent, 1, "Another Person")
    monkeypatch.setattr(type(contract.file.storage), "_open", fail_to_open)
    assert run_nightly_check() == EVIDENCE_CHECK_RETRY
    assert Consent.objects.get().broken_event == 1, "the audit logs need no file"
    assert Contract.objects.get().file_problem == ""


def test_nightly_check_runs_again_in_the_next_night(contract: Contract, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    delay = run_nightly_check()
    assert timedelta() < delay <= timedelta(days=1, hours=1)
    assert (timezone.now() + delay).astimezone(ZoneInfo("America/New_York")).strftime("%H:%M") in {"02:59", "03:00"}


@pytest.mark.parametrize(("hour", "day"), [(1, 9), (2, 9), (3, 10), (23, 10)])
def test_night_begins_at_three_in_the_time_zone_of_the_studio(settings: Any, hour: int, day: int) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    zone = ZoneInfo("Asia/Tokyo")
    assert find_last_night(datetime(2026, 5, 10, hour, 30, tzinfo=zone)) == datetime(2026, 5, day, 3, tzinfo=zone)
