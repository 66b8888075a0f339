"""`manage.py doctor` reports each kind of failure in one line."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as base_settings
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from audio.networks import estimates, installed
from audio.networks.weights import MissingModel
from consent.models import LanguageRelease
from consent.services.talent_languages import release_language
from voicehub import outbox
from voicehub.models import Task, User
from voices.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_data_folder() -> None:
    Path(base_settings.DATA_DIR).chmod(0o700)


def run_doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit code and the output."""
    try:
        call_command("doctor", no_color=True)
    except SystemExit as error:
        return int(error.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def read_failure(capsys: pytest.CaptureFixture[str]) -> str:
    """Run doctor and return its line with a failure. There must be exactly one such line."""
    code, output = run_doctor(capsys)
    lines = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert code == 1
    assert len(lines) == 1, output
    return lines[0]


def test_healthy_studio_passes_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, output = run_doctor(capsys)
    assert code == 0, output
    assert "FAILED" not in output
    for section in ("Database", "Queue", "Tasks", "Files", "Secrets", "Audit logs", "Evidence files", "Settings"):
        assert f"ok       {section}: " in output


def test_languages_of_talents_are_named_with_those_that_changed_since_their_release(
    capsys: pytest.CaptureFixture[str], producer: User
) -> None:
    release_language("de", producer)
    LanguageRelease.objects.create(language="fr", catalog_sha256="0" * 64, released_by=producer)
    code, output = run_doctor(capsys)
    assert (
        "Languages: talents can read English, German and French (changed since its release: read it again)." in output
    )
    assert code == 0


def test_overdue_task_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Task.objects.create(kind="any", object_id="1", due_at=timezone.now() - timedelta(hours=1))
    Task.objects.create(kind="any", object_id="2", due_at=timezone.now() + timedelta(hours=1))
    assert "Tasks: 1 overdue by more than 2 minutes" in read_failure(capsys)


def test_claimed_task_is_not_overdue(capsys: pytest.CaptureFixture[str]) -> None:
    task = Task.objects.create(kind="any", object_id="1", due_at=timezone.now() - timedelta(hours=1))
    assert outbox.claim_task(str(task.pk))
    assert run_doctor(capsys)[0] == 0


def test_unreachable_queue_is_a_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import django_rq
    from redis import Redis

    unreachable_redis = Redis(unix_socket_path="/missing/valkey.sock")
    queue = django_rq.get_queue("submit")
    monkeypatch.setattr(queue, "connection", unreachable_redis)
    monkeypatch.setattr(django_rq, "get_queue", lambda name: queue)
    assert "Queue: it does not respond" in read_failure(capsys)


def test_unwritable_storage_is_a_failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from voicehub.storage import private

    def fail_to_save(name: str, content: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private(), "save", fail_to_save)
    assert "Files: they cannot be stored" in read_failure(capsys)


def test_storage_check_leaves_no_file_behind(capsys: pytest.CaptureFixture[str]) -> None:
    from voicehub.storage import private

    assert run_doctor(capsys)[0] == 0
    assert private().listdir("doctor")[1] == []


def test_api_key_encrypted_with_a_lost_field_key_is_a_failure(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    account = Account(name="Old Resemble", provider="resemble")
    account.set_key("a-provider-secret")
    account.save()
    settings.VOICEHUB_FIELD_KEYS = [Fernet.generate_key().decode()]
    line = read_failure(capsys)
    assert "Secrets: the keys of Old Resemble cannot be decrypted" in line
    assert "a-provider-secret" not in line


def test_data_folder_readable_by_others_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Path(base_settings.DATA_DIR).chmod(0o755)
    assert (
        f"Secrets: other users of this machine can read the data folder. Run: chmod 700 {base_settings.DATA_DIR}"
        in read_failure(capsys)
    )


def test_invalid_field_key_is_a_failure(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    settings.VOICEHUB_FIELD_KEYS = ["not-a-fernet-key"]
    assert "Settings: VOICEHUB_FIELD_KEYS must be Fernet keys" in read_failure(capsys)


@pytest.mark.parametrize("name", installed.PART_CHECKS)
def test_each_optional_audio_model_is_reported_as_installed_or_missing(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, output = run_doctor(capsys)
    expected = "missing  {}: " if installed.PART_CHECKS[name]() else "ok       {}: installed."
    assert code == 0
    assert expected.format(name) in output


def test_missing_audio_models_are_reported_but_are_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for loader in ("load_silero", "load_encoder"):
        monkeypatch.setattr(installed, loader, lambda: MissingModel("The weights are missing."))
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    monkeypatch.setattr(estimates, "_load_denoiser", lambda: MissingModel("The denoiser is missing."))
    code, output = run_doctor(capsys)
    assert code == 0
    lines = dict(
        line.removeprefix("missing  ").split(": ", 1) for line in output.splitlines() if line.startswith("missing")
    )
    assert lines == {
        "Voice activity": "The weights are missing. Run: make run",
        "Speaker match": "The weights are missing. Run: make run",
        "Statement check": "pocketsphinx is not installed. Run: make run",
        "M4A and WebM": "av is not installed. Run: make extras",
        "Quality estimates": "The quality extra is incomplete: The denoiser is missing. Run: make extras",
    }
