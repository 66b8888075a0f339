"""The files that AudioStack keeps are deleted with their voice, or without one; the sandbox is the witness."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consent.models import Event, EventKind
from consent.services.audit_log import find_first_broken_event
from consent.services.deletions import hash_proof
from consent.services.review import withdraw_consent
from providers.audiostack.adapter import AudioStack
from providers.audiostack.files import AudioStackFiles
from providers.types import Handover, Tier
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import DELETION_AFTER_SUBMIT
from voices.models import Account, Build, BuildStatus, FileKind, LimitOverride, RemoteFile, RemoteRecording, RemoteVoice
from voices.services import accounts
from voices.services.builds.journal import BuildJournal
from voices.services.builds.lifecycle import set_final_status
from voices.services.deletion import record_manual_deletion
from voices.services.deletion_lists import load_open_deletions
from voices.services.deletion_table import list_deletions
from voices.services.file_deletion import KEY_CHANGED, STILL_THERE, record_manual_file_deletion

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]
DELETION = ("delete_file",)


@pytest.fixture(autouse=True)
def no_poll_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AudioStack, "poll_seconds", 0.0)


@pytest.fixture
def harness(make_harness: MakeHarness) -> BuildHarness:
    return make_harness("audiostack")


def start_build(harness: BuildHarness, tier: Tier = Tier.RAPID) -> Build:
    if tier is Tier.PROFESSIONAL:
        LimitOverride.objects.update_or_create(
            provider="audiostack", tier=tier, limit="least_seconds", defaults={"value": 5, "source": "Test"}
        )
    return harness.start_build(harness.make_voice(), tier, Handover.FILE_IDS)


def finish_build(harness: BuildHarness, tier: Tier = Tier.RAPID) -> Build:
    build = harness.finish_build(start_build(harness, tier))
    assert build.status == BuildStatus.READY, build.issue
    return build


def withdraw(build: Build, harness: BuildHarness) -> None:
    build.consent.refresh_from_db()
    withdraw_consent(build.consent, harness.producer, "The talent changed their mind.")


def list_announced_ids(harness: BuildHarness) -> set[str]:
    """The ids of the files that the sandbox has given to this account, from its own answers."""
    calls = harness.account.calls.filter(operation="announce file")
    return {json.loads(text)["fileId"] for text in calls.values_list("response_text", flat=True)}


def count_present(harness: BuildHarness) -> int:
    """The files that the sandbox still has. Asked with the adapter, but not by VoiceHub's rows."""
    with AudioStack(harness.key, sandbox_url=harness.sandbox.address, sandboxed=True) as provider:
        return sum(provider.has_file(file_id) for file_id in list_announced_ids(harness))


def reload(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def push_request_back(**age: float) -> None:
    """Make the deletion of every file as old as this."""
    RemoteFile.objects.exclude(deletion_requested_at=None).update(
        deletion_requested_at=timezone.now() - timedelta(**age)
    )


def list_payloads(build: Build, kind: EventKind) -> list[dict[str, Any]]:
    return [event.payload for event in Event.objects.filter(consent=build.consent, kind=kind).order_by("sequence")]


def test_withdrawal_deletes_every_file_and_the_consent_file(harness: BuildHarness) -> None:
    build = finish_build(harness, Tier.PROFESSIONAL)
    assert len(list_announced_ids(harness)) == count_present(harness) == 4
    assert RemoteFile.objects.filter(kind=FileKind.CONSENT, recording=None).count() == 1
    withdraw(build, harness)
    harness.run_tasks()
    assert count_present(harness) == 0
    assert set(RemoteFile.objects.values_list("remote_id", flat=True)) == list_announced_ids(harness)
    for file in RemoteFile.objects.all():
        assert file.deleted_at and (file.deletion_proof["code"], file.deletion_proof["look"]) == (204, "404")
    assert all(row.deleted_at for row in RemoteRecording.objects.all()) and RemoteRecording.objects.count() == 3
    assert len(harness.list_requests(*DELETION)) == 4
    harness.run_tasks(2)
    assert len(harness.list_requests(*DELETION)) == 4, "a deleted file is not asked for again"


def test_deletion_is_one_request_and_one_confirmation_in_the_history(harness: BuildHarness) -> None:
    build = finish_build(harness, Tier.PROFESSIONAL)
    withdraw(build, harness)
    harness.run_tasks(3)
    (voice, files) = list_payloads(build, EventKind.DELETION_REQUESTED)
    (deleted,) = list_payloads(build, EventKind.DELETED)
    assert (voice["voices"], voice["subject"]) == (1, "Voice at AudioStack")
    assert files["subject"] == deleted["subject"] == "3 recordings and the consent file at AudioStack"
    assert (deleted["recordings"], deleted["consent_files"], deleted["provider"]) == (3, 1, "audiostack")
    proofs = [file.deletion_proof for file in RemoteFile.objects.order_by("announced_at", "pk")]
    assert deleted["proof_sha256"] == hash_proof(proofs) and (deleted["code"], deleted["look"]) == (204, "404")
    assert find_first_broken_event(build.consent) is None
    assert "Tilda" not in str([voice, files, deleted])
    event = Event.objects.get(kind=EventKind.DELETED)
    assert (event.actor, event.actor_name) == (None, "VoiceHub")


def test_files_of_a_build_that_never_made_a_voice_are_deleted(harness: BuildHarness) -> None:
    """Half an upload: the worker is stopped by the withdrawal while it sends the second file."""
    build = start_build(harness)
    original, sent = BuildJournal.record_recording, []

    def withdraw_after_first(journal: BuildJournal, key: str, remote_id: str) -> None:
        original(journal, key, remote_id)
        sent.append(key)
        if len(sent) == 1:
            withdraw(reload(build), harness)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BuildJournal, "record_recording", withdraw_after_first)
        harness.run_tasks(3)
    remote = reload(build.remote_voice)
    assert (remote.remote_id, reload(build).status) == ("", BuildStatus.WITHDRAWN)
    assert len(sent) == 1 and RemoteFile.objects.count() == 1
    assert count_present(harness) == 0
    (payload,) = list_payloads(build, EventKind.DELETED)
    assert payload["subject"] == "1 recording at AudioStack"


def test_file_announced_at_the_moment_of_withdrawal_is_recorded_and_deleted(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = start_build(harness)
    original = AudioStackFiles._announce_file

    def withdraw_with_the_answer(provider: Any, *arguments: Any) -> Any:
        pending = original(provider, *arguments)
        withdraw(reload(build), harness)
        return pending

    monkeypatch.setattr(AudioStackFiles, "_announce_file", withdraw_with_the_answer)
    harness.run_tasks(3)
    (file,) = RemoteFile.objects.all()
    assert file.deleted_at and list_announced_ids(harness) == {file.remote_id}
    assert not harness.list_requests("upload_file") and count_present(harness) == 0


def test_files_wait_while_a_worker_may_still_send_them(harness: BuildHarness) -> None:
    build = finish_build(harness)
    withdraw(build, harness)
    task = Task.objects.filter(kind="submit_build", object_id=str(build.pk))
    lease = timezone.now() + timedelta(seconds=60)
    task.update(status=TaskStatus.WAITING, lease=build.pk, lease_until=lease)
    harness.run_tasks()
    assert not harness.list_requests(*DELETION)
    task.update(status=TaskStatus.DONE, lease=None, lease_until=None)
    harness.run_tasks()
    assert count_present(harness) == 0


def test_deletion_goes_on_as_soon_as_the_worker_stops_sending(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = start_build(harness)
    original = AudioStackFiles._upload_audio

    def withdraw_and_try_to_delete(provider: Any, *arguments: Any) -> Any:
        withdraw(reload(build), harness)
        run_due_tasks("delete_remote_files")
        return original(provider, *arguments)

    monkeypatch.setattr(AudioStackFiles, "_upload_audio", withdraw_and_try_to_delete)
    run_due_tasks("submit_build")
    deletion = Task.objects.get(kind="delete_remote_files", status=TaskStatus.WAITING)
    assert harness.list_requests("delete_file") == [] and deletion.due_at <= timezone.now() + DELETION_AFTER_SUBMIT


def test_ids_of_files_survive_a_new_build_of_the_voice(harness: BuildHarness) -> None:
    """A failed build leaves its files at the provider. The next build sends new ones."""
    harness.sandbox.set_faults({"operation": "clone_voice", "do": "status:400", "nth": 1})
    build = harness.finish_build(start_build(harness))
    assert build.status == BuildStatus.FAILED
    second = harness.finish_build(harness.start_build(build.voice, Tier.RAPID, Handover.FILE_IDS))
    assert second.remote_voice_id == build.remote_voice_id and RemoteFile.objects.count() == 6
    withdraw(second, harness)
    harness.run_tasks()
    assert count_present(harness) == 0


@pytest.mark.parametrize("operation", ["delete_file", "get_file"])
def test_worker_killed_between_deletion_and_look_up_continues(harness: BuildHarness, operation: str) -> None:
    build = finish_build(harness)
    withdraw(build, harness)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> bool:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(AudioStack, {"delete_file": "delete_file", "get_file": "has_file"}[operation], kill)
        harness.run_tasks()
    assert RemoteFile.objects.filter(deleted_at=None).count() == 3
    Task.objects.filter(kind="delete_remote_files").update(lease=None, lease_until=None)
    harness.run_tasks()
    assert count_present(harness) == 0 and not RemoteFile.objects.filter(deleted_at=None).exists()
    assert len(list_payloads(build, EventKind.DELETED)) == 1


def test_file_that_was_already_deleted_is_proved_by_the_look_up(harness: BuildHarness) -> None:
    build = finish_build(harness)
    with AudioStack(harness.key, sandbox_url=harness.sandbox.address, sandboxed=True) as provider:
        provider.delete_file(RemoteFile.objects.all()[0].remote_id)
    withdraw(build, harness)
    harness.run_tasks()
    codes = sorted(file.deletion_proof["code"] for file in RemoteFile.objects.all())
    assert codes == [204, 204, 404] and count_present(harness) == 0


def test_answer_without_an_agreeing_look_up_deletes_nothing(harness: BuildHarness) -> None:
    build = finish_build(harness)
    harness.sandbox.set_faults({"operation": "delete_file", "do": "ignore"})
    withdraw(build, harness)
    harness.run_tasks()
    assert {request["status"] for request in harness.list_requests(*DELETION)} == {204}
    assert not RemoteFile.objects.exclude(deleted_at=None).exists() and count_present(harness) == 3
    assert reload(build.remote_voice).file_alert == STILL_THERE
    assert list_payloads(build, EventKind.DELETED) == []
    harness.sandbox.set_faults()
    harness.run_tasks()
    assert reload(build.remote_voice).file_alert == "" and count_present(harness) == 0


def test_refused_deletion_asks_staff_after_a_day_and_continues(harness: BuildHarness) -> None:
    build = finish_build(harness)
    harness.sandbox.set_faults({"operation": "delete_file", "do": "status:500"})
    withdraw(build, harness)
    harness.run_tasks(2)
    assert reload(build.remote_voice).file_alert == ""
    push_request_back(days=1, minutes=1)
    harness.run_tasks()
    assert "for more than a day" in reload(build.remote_voice).file_alert
    assert Task.objects.filter(kind="delete_remote_files", status=TaskStatus.WAITING).exists()
    harness.sandbox.set_faults()
    harness.run_tasks()
    assert reload(build.remote_voice).file_alert == "" and count_present(harness) == 0


def test_refusal_of_one_file_keeps_no_other_and_pauses_nothing(harness: BuildHarness) -> None:
    build = finish_build(harness)
    harness.sandbox.set_faults({"operation": "delete_file", "do": "status:403", "nth": 1})
    withdraw(build, harness)
    harness.run_tasks()
    assert RemoteFile.objects.filter(deleted_at=None).count() == 1
    assert reload(harness.account).paused_at is None
    harness.run_tasks()
    assert count_present(harness) == 0


def test_paused_account_waits_and_continues_when_it_is_resumed(harness: BuildHarness) -> None:
    build = finish_build(harness)
    accounts.pause_account(harness.account, "Audit", harness.producer)
    withdraw(build, harness)
    harness.run_tasks()
    assert not harness.list_requests(*DELETION)
    Task.objects.filter(kind="delete_remote_files").delete()
    accounts.resume_account(harness.account)
    harness.run_tasks()
    assert count_present(harness) == 0


def test_missing_file_proves_nothing_under_a_new_key(harness: BuildHarness) -> None:
    build = finish_build(harness)
    key = harness.key
    accounts.change_key(harness.account, "key-of-another-account")
    withdraw(build, harness)
    harness.run_tasks()
    assert not RemoteFile.objects.exclude(deleted_at=None).exists()
    assert reload(build.remote_voice).file_alert == KEY_CHANGED[:300]
    accounts.change_key(harness.account, key)
    harness.run_tasks()
    assert count_present(harness) == 0 and not RemoteFile.objects.filter(deleted_at=None).exists()
    assert reload(build.remote_voice).file_alert == ""


def test_manual_deletion_of_the_voice_deletes_its_files(harness: BuildHarness) -> None:
    build = finish_build(harness)
    remote = reload(build.remote_voice)
    record_manual_deletion(remote, harness.producer, "AudioStack's support confirmed it.")
    harness.run_tasks()
    assert count_present(harness) == 0
    voice, files = list_payloads(build, EventKind.DELETED)
    assert (voice["voices"], voice["reason"]) == (1, "AudioStack's support confirmed it.")
    assert files["recordings"] == 3
    assert Event.objects.filter(kind=EventKind.DELETED, actor=harness.producer).count() == 1


def test_user_confirms_that_files_are_gone(harness: BuildHarness, producer: User) -> None:
    build = finish_build(harness)
    with pytest.raises(ActionRefused):
        record_manual_file_deletion(build.remote_voice, producer, "Seen.")
    harness.sandbox.set_faults({"operation": "delete_file", "do": "status:500"})
    withdraw(build, harness)
    record_manual_file_deletion(build.remote_voice, producer, "The support deleted them.")
    assert not RemoteFile.objects.filter(deleted_at=None).exists()
    (payload,) = list_payloads(build, EventKind.DELETED)
    assert payload["reason"] == "The support deleted them."
    before = len(harness.list_requests())
    harness.run_tasks()
    assert len(harness.list_requests(*DELETION)) == 0 and len(harness.list_requests()) == before


def test_table_says_what_was_there_and_how_it_went(harness: BuildHarness) -> None:
    build = finish_build(harness, Tier.PROFESSIONAL)
    assert list_deletions(build.consent) == []
    withdraw(build, harness)
    voice, files = list_deletions(build.consent)
    assert (files.provider, files.subject, files.deleted_at) == (
        "AudioStack",
        "3 recordings and the consent file",
        None,
    )
    assert (voice.subject, voice.how) == ("Voice", f"{harness.producer} deletes it on the provider's website")
    harness.run_tasks()
    _voice, files = list_deletions(build.consent)
    assert files.deleted_at and files.how == "AudioStack no longer has them"


def test_withdrawal_deletes_files_of_a_voice_that_was_deleted_before(harness: BuildHarness) -> None:
    build = finish_build(harness)
    RemoteVoice.objects.update(deleted_at=timezone.now(), retired_at=timezone.now())
    withdraw(build, harness)
    harness.run_tasks()
    assert count_present(harness) == 0


def test_rejected_consent_deletes_the_files(harness: BuildHarness) -> None:
    build = finish_build(harness)
    Build.objects.update(status=BuildStatus.TRAINING, finished_at=None)
    set_final_status(reload(build), BuildStatus.CONSENT_REJECTED)
    harness.run_tasks()
    assert count_present(harness) == 0
    assert load_open_deletions().manual == [build.remote_voice], "AudioStack deletes no voice, so a person is asked"
    assert reload(build.remote_voice).deletion_assigned_to == harness.producer
    assert [payload["voices"] for payload in list_payloads(build, EventKind.DELETION_REQUESTED)] == [1, 0]


def test_file_of_an_unsupported_provider_is_never_forgotten(harness: BuildHarness) -> None:
    build = finish_build(harness)
    withdraw(build, harness)
    Account.objects.update(provider="gone_vendor")
    harness.run_tasks()
    assert "no longer supports" in reload(build.remote_voice).file_alert
    assert not Task.objects.filter(status=TaskStatus.FAILED).exists()
    Account.objects.update(provider="audiostack")
    harness.run_tasks()
    assert count_present(harness) == 0


def test_page_of_the_consent_names_the_open_deletion(harness: BuildHarness) -> None:
    build = finish_build(harness)
    withdraw(build, harness)
    client = Client()
    client.force_login(harness.producer)
    page = read_html(client.get(build.consent.get_absolute_url()))
    assert "Voice at AudioStack not deleted yet" in page and "1 more deletion is open." in page
    assert 'class="next next-wait"' in page and "Delete it on the provider&#x27;s website, then confirm." in page
    url = f"{build.remote_voice.get_absolute_url()}#deletion"
    assert f'<a class="btn" href="{url}">Confirm the deletion</a>' in page and "Kept as evidence" not in page
    website = '<a class="btn btn-primary" href="https://platform.audiostack.ai">Open AudioStack</a>'
    assert website in page and page.index(website) < page.index(">Confirm the deletion<"), "the first step"
    harness.run_tasks()
    assert "deletion is open" not in read_html(client.get(build.consent.get_absolute_url()))
    record_manual_deletion(build.remote_voice, harness.producer, "The support deleted it.")
    page = read_html(client.get(build.consent.get_absolute_url()))
    assert "Kept as evidence" in page and "not deleted yet" not in page
