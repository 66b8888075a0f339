"""Edge cases: concurrent actions, late responses, changed files, and unusual providers.

To simulate concurrency, tests run the second action in the middle of the first one, without threads.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import OperationalError, connection
from django.utils import timezone

from consent.models import Consent, Contract
from consent.services.review import withdraw_consent
from providers import registry
from providers.errors import ProviderAuthError
from providers.types import Handover, Tier, Visibility
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE
from voicehub.tokens import derive_token
from voices.admin import AccountAdmin, AccountAdminForm
from voices.models import Account, AccountCall, Build, BuildStatus, Callback, Preview, PreviewStatus, RemoteVoice
from voices.services import accounts, deletion, remote_voices, unknown_voices
from voices.services.builds import reconcile
from voices.services.builds.dataset import open_dataset
from voices.services.builds.journal import BuildJournal
from voices.services.builds.start import cancel_build
from voices.services.previews import make_preview, request_preview

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

REASON = "I looked at the provider's page."
URL_WITH_PATH = re.compile(r"https?://[^/\s\"]+/[^…\s\"]")
MakeHarness = Callable[[str], BuildHarness]


def start_new_build(harness: BuildHarness) -> Build:
    tier, can = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    return harness.start_build(harness.make_voice(), tier, can.handover[0])


def make_unconfirmed_build(harness: BuildHarness, operation: str, phase: str = "after_commit") -> Build:
    """Start a build in which the response to this operation is lost."""
    harness.sandbox.set_faults({"operation": operation, "do": "drop", "phase": phase, "nth": 1})
    return harness.reach_status(start_new_build(harness), BuildStatus.UNCONFIRMED)


def act_after_call(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, action: Callable[[], object]) -> None:
    """Make the first call of the function `owner.name` also call `action` before it returns."""
    original = getattr(owner, name)
    is_done: list[bool] = []

    def call_then_act(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if not is_done:
            is_done.append(True)
            action()
        return result

    monkeypatch.setattr(owner, name, call_then_act)


def reload(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


# --- unconfirmed builds -----------------------------------------------------------------


def test_look_up_that_ends_late_does_not_undo_a_manual_resolution(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """During the look-up, staff resolve the create call, and the next call becomes unconfirmed."""
    harness = make_harness("resemble_v2")
    build = make_unconfirmed_build(harness, "create_voice")
    harness.sandbox.set_faults({"operation": "list_voices", "do": "hide:60"})
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    remote_id = harness.fetch_json("voices/" + find_first_remote_id(harness))["item"]["uuid"]

    def resolve_meanwhile() -> None:
        reconcile.resolve_submit_manually(reload(build), harness.producer, remote_id, REASON)
        Build.objects.filter(pk=build.pk).update(
            status=BuildStatus.UNCONFIRMED, pending_call="build", previous_version="initializing 1"
        )

    act_after_call(monkeypatch, reconcile, "look_up_call", resolve_meanwhile)
    reconcile.reconcile_build(str(build.pk))
    assert reload(build.remote_voice).remote_id == remote_id
    assert (reload(build).status, reload(build).pending_call) == (BuildStatus.UNCONFIRMED, "build")


def find_first_remote_id(harness: BuildHarness) -> str:
    with registry.open_provider(harness.account) as provider:
        harness.sandbox.set_faults()
        return next(provider.list_voices()).remote_id


def test_missing_voice_under_another_key_is_not_recreated(make_harness: MakeHarness) -> None:
    """The new key belongs to another account, which does not list the voices of the first one."""
    harness = make_harness("voiceai")
    build = make_unconfirmed_build(harness, "va_clone")
    accounts.change_key(harness.account, f"{harness.key}-of-another")
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert sum(line["operation"] == "va_clone" for line in harness.sandbox.read_ledger()) >= 1
    assert len(harness.list_requests("va_clone")) == 1
    reconcile.resolve_submit_manually(build, harness.producer, "", REASON)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_resuming_an_account_does_not_shorten_the_look_up_wait(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    make_unconfirmed_build(harness, "create_voice")
    accounts.pause_account(harness.account, "", harness.producer)
    accounts.resume_account(harness.account)
    due = Task.objects.get(kind="settle_build", status=TaskStatus.WAITING).due_at
    assert due > timezone.now() + LEASE * 0.9


def test_remote_voice_with_an_unconfirmed_build_is_not_renamed(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = make_unconfirmed_build(harness, "build_voice", "before_commit")
    with pytest.raises(ActionRefused, match="in progress"):
        remote_voices.rename_remote_voice(reload(build.remote_voice), "Another name")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_build_stays_unconfirmed_while_the_list_lacks_its_voice(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make_harness("resemble_v1")
    build = make_unconfirmed_build(harness, "v1_build", "before_commit")
    assert build.previous_version.strip()
    adapter = registry.get_provider_class("resemble_v1")
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "list_voices", lambda _self: iter(()))
        for _ in range(4):
            harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"v1_create_voice": 1, "v1_build": 1}


def test_voice_missing_at_the_first_poll_is_not_retired(make_harness: MakeHarness) -> None:
    """The provider created and billed the voice, but its look-up does not show the voice yet."""
    harness = make_harness("voiceai")
    harness.sandbox.set_faults({"operation": "va_get_voice", "do": "status:404", "nth": 2})
    build = harness.finish_build(start_new_build(harness))
    assert (build.status, reload(build.remote_voice).retired_at) == (BuildStatus.READY, None)
    assert harness.count_billed() == {"va_clone": 1}


def test_manual_resolution_of_a_call_that_is_no_longer_pending_is_refused(make_harness: MakeHarness) -> None:
    """The staff member's page is outdated: it shows the create call, but now the build call is unconfirmed."""
    harness = make_harness("resemble_v2")
    build = make_unconfirmed_build(harness, "build_voice")
    with pytest.raises(ActionRefused, match="already"):
        reconcile.resolve_submit_manually(build, harness.producer, "", REASON, pending_call="create")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_build_with_a_created_voice_cannot_be_canceled(make_harness: MakeHarness) -> None:
    """The look-up found the billed voice, so the build must continue."""
    harness = make_harness("voiceai")
    build = make_unconfirmed_build(harness, "va_clone")
    reconcile.reconcile_build(str(build.pk))
    with pytest.raises(ActionRefused, match="made"):
        cancel_build(reload(build), harness.producer)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- during submit ---------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_pause_during_submit_stops_requests_until_resume(
    make_harness: MakeHarness, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the resume the build continues where it stopped."""
    harness = make_harness(provider)
    build = start_new_build(harness)
    requests: list[int] = []

    def pause() -> None:
        accounts.pause_account(harness.account, "Stop!", harness.producer)
        requests.append(harness.count_requests())

    act_after_call(monkeypatch, BuildJournal, "record_progress", pause)
    harness.reach_status(build, BuildStatus.QUEUED)
    assert "Stop!" in build.progress_message
    # An upload that has begun still sends its remaining requests.
    assert harness.count_requests() - requests[0] <= (3 if provider == "audiostack" else 0)
    accounts.resume_account(reload(harness.account))
    assert harness.finish_build(build).status == BuildStatus.READY


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_recording_with_a_changed_file_is_not_sent(make_harness: MakeHarness, provider: str) -> None:
    """After the start, another file of the same length replaces the recording's file."""
    harness = make_harness(provider)
    build = start_new_build(harness)
    row = build.recordings.select_related("recording").order_by("pk")[1]
    name = str(row.recording.sound.name)
    storage = row.recording.sound.storage
    with storage.open(name) as file:
        content = file.read()
    with open(storage.path(name), "wb") as file:  # noqa: PTH123 - a stored file
        file.write(content[:-4000] + bytes(4000))
    build = harness.finish_build(build)
    assert build.status == BuildStatus.FAILED
    assert "has changed since" in build.issue
    assert not any(line["operation"].endswith(("clone", "v1_build", "build_voice")) for line in harness.list_requests())


# --- stored data -------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_texts_on_pages_contain_no_usable_url(make_harness: MakeHarness, provider: str, settings: Any) -> None:
    """Anyone who sees a usable URL could upload a file, fetch a sample or send a callback."""
    harness = make_harness(provider)
    build = harness.finish_build(start_new_build(harness))
    assert build.status == BuildStatus.READY
    remote = reload(build.remote_voice)
    texts = [call.response_text for call in AccountCall.objects.all()]
    for text in (*texts, str(build.raw_response), str(remote.raw_response), build.issue, build.progress_message):
        assert not URL_WITH_PATH.search(text), text


def test_entry_added_while_the_call_log_is_trimmed_is_kept(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    now = timezone.now()
    AccountCall.objects.bulk_create(
        AccountCall(account=harness.account, at=now - timedelta(hours=n), operation="old") for n in range(150)
    )

    def insert_before_delete(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("DELETE") and not AccountCall.objects.filter(operation="newest").exists():
            AccountCall.objects.create(account=harness.account, at=timezone.now(), operation="newest")
        return execute(sql, *rest)

    with connection.execute_wrapper(insert_before_delete):
        accounts.test_account(harness.account)
    assert AccountCall.objects.filter(operation="newest").exists()
    assert AccountCall.objects.count() <= accounts.MAX_CALLS + 1


def test_refusal_of_a_replaced_key_does_not_pause_the_account(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    with pytest.raises(ProviderAuthError), accounts.open_session(reload(harness.account)):
        accounts.change_key(reload(harness.account), f"{harness.key}-new")
        raise ProviderAuthError("list", "No.")
    assert reload(harness.account).paused_at is None


def test_saving_an_account_in_the_admin_keeps_its_pause(make_harness: MakeHarness, rf: Any) -> None:
    harness = make_harness("resemble_v2")
    stale = reload(harness.account)
    accounts.pause_account(harness.account, "Stop!", harness.producer)
    form = AccountAdminForm({"name": "New", "provider": "resemble_v2", "mode": "sandbox"}, instance=stale)
    assert form.is_valid()
    AccountAdmin(Account, site).save_model(rf.post("/"), form.save(commit=False), form, change=True)
    account = reload(harness.account)
    assert (account.name, bool(account.paused_at)) == ("New", True)


def test_account_with_voices_keeps_its_provider_and_mode(make_harness: MakeHarness) -> None:
    """After a change, the look-up would search another account, and an unconfirmed voice would be created twice."""
    harness = make_harness("voiceai")
    make_unconfirmed_build(harness, "va_clone")
    for change in ({"mode": "live"}, {"provider": "speechgen"}):
        data = {"name": harness.account.name, "provider": "voiceai", "mode": "sandbox"} | change
        assert not AccountAdminForm(data, instance=reload(harness.account)).is_valid()
        data = {"name": "Other", "provider": "voiceai", "mode": "sandbox"}
        assert AccountAdminForm(data, instance=reload(harness.account)).is_valid()


def test_failed_log_write_does_not_lose_a_preview(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is locked when the response is to be logged."""
    harness = make_harness("voiceai")
    preview = request_preview(make_ready_voice(harness), "Hello there.", harness.producer)

    def raise_locked(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(AccountCall.objects, "bulk_create", raise_locked)
    make_preview(str(preview.pk))
    assert reload(preview).status == PreviewStatus.READY


def test_dataset_url_works_only_with_consent_and_contract_in_force(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.start_build(harness.make_voice(), Tier.RAPID, Handover.DATASET_URL)
    token = derive_token("dataset", build.pk)
    assert open_dataset(token, None, "") is not None
    Contract.objects.update(ends_on=timezone.localdate() - timedelta(days=1))
    assert open_dataset(token, None, "") is None
    Contract.objects.update(ends_on=None)
    Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    assert open_dataset(token, None, "") is None


# --- remote voices ----------------------------------------------------------------------


def make_ready_voice(harness: BuildHarness) -> RemoteVoice:
    build = harness.finish_build(start_new_build(harness))
    assert build.status == BuildStatus.READY
    return RemoteVoice.objects.get(pk=build.remote_voice_id)


def test_remote_voice_with_an_active_build_is_not_deleted(make_harness: MakeHarness) -> None:
    """A deletion during a build would delete a voice whose build is billed."""
    harness = make_harness("resemble_v2")
    remote = make_ready_voice(harness)
    deletion.request_deletion(remote, harness.producer, "Old.")
    Build.objects.filter(remote_voice=remote).update(status=BuildStatus.TRAINING)
    assert deletion.delete_remote_voice(str(remote.pk))
    assert not harness.list_requests("delete_voice")
    Build.objects.filter(remote_voice=remote).update(status=BuildStatus.READY)
    assert deletion.delete_remote_voice(str(remote.pk)) is None
    assert reload(remote).deleted_at


def test_deletion_or_preview_request_is_not_saved_without_its_task(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    monkeypatch.setattr("voicehub.outbox.enqueue_task", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deletion.request_deletion(remote, harness.producer, "Old.")
    assert reload(remote).deletion_requested_at is None
    with pytest.raises(ZeroDivisionError):
        request_preview(reload(remote), "Hello.", harness.producer)
    assert not Preview.objects.filter(remote_voice=remote).exists()


def test_deletion_refused_with_403_does_not_pause_the_account(make_harness: MakeHarness) -> None:
    """The deletion is retried, and each retry would pause the account."""
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    harness.sandbox.set_faults({"operation": "va_delete_voice", "do": "status:403"})
    deletion.request_deletion(remote, harness.producer, "Old.")
    harness.run_tasks()
    assert reload(harness.account).paused_at is None
    assert reload(remote).deleted_at is None
    harness.sandbox.set_faults()
    harness.run_tasks()
    assert reload(remote).deleted_at


def test_key_of_another_account_does_not_prove_a_deletion(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    accounts.change_key(harness.account, f"{harness.key}-of-another")
    deletion.request_deletion(remote, harness.producer, "The talent asked for it.")
    harness.run_tasks(2)
    assert reload(remote).deleted_at is None
    assert "key" in reload(remote).alert
    accounts.change_key(harness.account, harness.key)
    harness.run_tasks()


def test_voice_of_an_unconfirmed_build_is_not_unknown(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The create response is lost, so VoiceHub has no voice ID yet. The voice's name shows that VoiceHub made it."""
    harness = make_harness("voiceai")
    build = make_unconfirmed_build(harness, "va_clone")
    with registry.open_provider(harness.account) as provider:
        remote_id = next(provider.list_voices()).remote_id
    assert unknown_voices.list_unknown_voices(harness.account) == []
    with pytest.raises(ActionRefused, match="creating this voice"):
        unknown_voices.adopt_voice(harness.account, remote_id, Tier.RAPID, build.voice, harness.producer)
    with pytest.raises(ActionRefused, match="creating this voice"):
        unknown_voices.delete_unknown_voice(harness.account, remote_id, Tier.RAPID, harness.producer, "No one's.")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"va_clone": 1}


def test_voice_created_while_the_list_is_read_is_not_unknown(
    make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make_harness("voiceai")
    voices: list[RemoteVoice] = []
    original = unknown_voices._list_voices

    def build_then_list(provider: Any) -> Any:
        voices.append(make_ready_voice(harness))
        return original(provider)

    monkeypatch.setattr(unknown_voices, "_list_voices", build_then_list)
    assert unknown_voices.list_unknown_voices(harness.account) == []
    assert voices


def test_failed_publication_is_not_recorded_as_made_public_by_staff(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    harness.sandbox.set_faults({"operation": "va_update_voice", "do": "status:400"})
    with pytest.raises(ActionRefused):
        remote_voices.set_visibility(remote, Visibility.PUBLIC, harness.producer)
    assert reload(remote).made_public_by is None


# --- previews ---------------------------------------------------------------------------


def test_same_preview_requested_again_while_queued_is_billed_once(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    request_preview(remote, "Hello there.", harness.producer)
    with pytest.raises(ActionRefused, match="already"):
        request_preview(remote, "Hello  there.", harness.producer)
    harness.run_tasks(2)
    assert harness.count_billed()["va_speech"] == 1
    request_preview(remote, "Hello there.", harness.producer)


def test_preview_fails_after_a_deletion_request(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    preview = request_preview(remote, "Hello there.", harness.producer)
    RemoteVoice.objects.filter(pk=remote.pk).update(deletion_requested_at=timezone.now())
    harness.run_tasks(2)
    assert reload(preview).status == PreviewStatus.FAILED
    assert not harness.list_requests("va_speech")


def test_preview_fails_after_a_withdrawal(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    remote = make_ready_voice(harness)
    preview = request_preview(remote, "Hello there.", harness.producer)
    withdraw_consent(remote.builds.get().consent, harness.producer, "Changed her mind.")
    harness.run_tasks(2)
    assert reload(preview).status == PreviewStatus.FAILED
    assert not harness.list_requests("va_speech")


def test_audio_of_a_replaced_worker_is_saved(make_harness: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next worker marks the preview as interrupted, then the first worker receives the billed audio."""
    harness = make_harness("voiceai")
    preview = request_preview(make_ready_voice(harness), "Hello there.", harness.producer)
    adapter = registry.get_provider_class("voiceai")
    act_after_call(monkeypatch, adapter, "generate_preview", lambda: make_preview(str(preview.pk)))
    make_preview(str(preview.pk))
    preview = reload(preview)
    assert (preview.status, preview.issue) == (PreviewStatus.READY, "")
    assert preview.file.size > 1000


# --- status updates -------------------------------------------------------------------------


def test_callback_of_a_provider_without_callbacks_is_ignored(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    build = harness.reach_status(start_new_build(harness), BuildStatus.TRAINING)
    Callback.objects.create(build=build, body="{}", body_sha256="0" * 64)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_manual_resolution_of_a_finished_build_is_refused(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.reach_status(start_new_build(harness), BuildStatus.TRAINING)
    build.has_unknown_status = True
    Build.objects.filter(pk=build.pk).update(has_unknown_status=True)
    stale = reload(build)
    harness.finish_build(build)
    with pytest.raises(ActionRefused):
        reconcile.resolve_training_manually(stale, harness.producer, BuildStatus.FAILED, REASON)
    assert reload(build).status == BuildStatus.READY


def test_training_with_a_known_status_is_not_resolved_manually(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.reach_status(start_new_build(harness), BuildStatus.TRAINING)
    build.has_unknown_status = True  # the page was loaded before the provider sent a known status
    with pytest.raises(ActionRefused):
        reconcile.resolve_training_manually(build, harness.producer, BuildStatus.READY, REASON)
    assert reload(build).status == BuildStatus.TRAINING
