"""Interleavings and odd providers: what two do at once, what comes late, and what is not what it was.

Two things at once are played one within the other: at the line where the first one waits, the second is done.
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
from tests.voices.services.builds.build_harness import BuildHarness, make_upload
from voicehub.models import Task, TaskStatus
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE
from voicehub.tokens import derive_token
from voices.admin import AccountAdmin, AccountAdminForm
from voices.models import Account, AccountCall, Build, BuildStatus, Callback, Preview, PreviewStatus, RemoteVoice
from voices.services import accounts, remote_voices, unknown_voices
from voices.services.builds import reconcile
from voices.services.builds.dataset import open_dataset
from voices.services.builds.journal import BuildJournal
from voices.services.builds.start import cancel_build
from voices.services.previews import make_preview, request_preview

pytestmark = pytest.mark.django_db

WHY = "I looked at its page."
ADDRESS = re.compile(r"https?://[^/\s\"]+/[^…\s\"]")  # more of an address than its host
At = Callable[[str], BuildHarness]


@pytest.fixture
def at(sandbox: Any, producer: Any) -> At:
    return lambda provider: BuildHarness(producer, sandbox, provider)


def started(harness: BuildHarness) -> Build:
    tier, can = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    return harness.start_build(harness.make_voice(), tier, can.handover[0])


def in_doubt(harness: BuildHarness, operation: str, phase: str = "after_commit") -> Build:
    """A build of which the answer to this call is lost."""
    harness.sandbox.faults({"operation": operation, "do": "drop", "phase": phase, "nth": 1})
    return harness.reach_status(started(harness), BuildStatus.UNCONFIRMED)


def then(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], object]) -> None:
    """After the first call of `owner.name`, and before its caller goes on, `act`."""
    called = getattr(owner, name)
    done: list[bool] = []

    def calls(*args: Any, **more: Any) -> Any:
        answer = called(*args, **more)
        if not done:
            done.append(True)
            act()
        return answer

    monkeypatch.setattr(owner, name, calls)


def again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


# --- a build in doubt -------------------------------------------------------------------


def test_look_up_that_comes_late_undoes_nothing(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the list is read, a person settles it, the voice is known, and the next step is in doubt."""
    harness = at("resemble_v2")
    build = in_doubt(harness, "create_voice")
    harness.sandbox.faults({"operation": "list_voices", "do": "hide:60"})
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    there = harness.fetch_json("voices/" + made_id(harness))["item"]["uuid"]

    def meanwhile() -> None:
        reconcile.resolve_submit_manually(again(build), harness.producer, there, WHY)
        Build.objects.filter(pk=build.pk).update(
            status=BuildStatus.UNCONFIRMED, pending_call="build", previous_version="initializing 1"
        )

    then(monkeypatch, reconcile, "_look_up_call", meanwhile)
    reconcile.reconcile_build(str(build.pk))
    assert again(build.remote_voice).remote_id == there
    assert (again(build).status, again(build).pending_call) == (BuildStatus.UNCONFIRMED, "build")


def made_id(harness: BuildHarness) -> str:
    with registry.open_provider(harness.account) as provider:
        harness.sandbox.faults()
        return next(provider.list_voices()).remote_id


def test_voice_is_not_taken_for_absent_under_another_key(at: At) -> None:
    """The key is changed to one of another account, which cannot know what the first one made."""
    harness = at("voiceai")
    build = in_doubt(harness, "va_clone")
    accounts.change_key(harness.account, f"{harness.key}-of-another")
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert sum(line["operation"] == "va_clone" for line in harness.sandbox.ledger()) >= 1
    assert len(harness.list_requests("va_clone")) == 1
    reconcile.resolve_submit_manually(build, harness.producer, "", WHY)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_resuming_an_account_does_not_hurry_a_list_that_lags(at: At) -> None:
    harness = at("resemble_v2")
    in_doubt(harness, "create_voice")
    accounts.pause_account(harness.account, "", harness.producer)
    accounts.resume_account(harness.account)
    due = Task.objects.get(kind="settle_build", status=TaskStatus.WAITING).due_at
    assert due > timezone.now() + LEASE * 0.9


def test_renaming_is_no_sign_that_a_build_has_begun(at: At) -> None:
    harness = at("resemble_v2")
    build = in_doubt(harness, "build_voice", "before_commit")
    with pytest.raises(ActionRefused, match="in progress"):
        remote_voices.rename_remote_voice(again(build.remote_voice), "Another name")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_voice_that_the_list_hides_tells_nothing_of_its_build(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = at("resemble_v1")
    build = in_doubt(harness, "v1_build", "before_commit")
    assert build.previous_version.strip()
    adapter = registry.get_provider_class("resemble_v1")
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "list_voices", lambda _self: iter(()))
        for _ in range(4):
            harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"v1_create_voice": 1, "v1_build": 1}


def test_voice_that_cannot_be_asked_for_at_once_is_not_given_up(at: At) -> None:
    """Its provider made it, and its look-up lags behind: the voice is paid for."""
    harness = at("voiceai")
    harness.sandbox.faults({"operation": "va_get_voice", "do": "status:404", "nth": 2})
    build = harness.finish_build(started(harness))
    assert (build.status, again(build.remote_voice).retired_at) == (BuildStatus.READY, None)
    assert harness.count_billed() == {"va_clone": 1}


def test_answer_to_an_earlier_question_settles_nothing(at: At) -> None:
    """A page that was open since the voice was in doubt; now it is the build."""
    harness = at("resemble_v2")
    build = in_doubt(harness, "build_voice")
    with pytest.raises(ActionRefused, match="already"):
        reconcile.resolve_submit_manually(build, harness.producer, "", WHY, pending_call="create")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_build_whose_voice_trains_already_is_not_called_off(at: At) -> None:
    """Found again, and about to go on: what was paid for is not left behind as if nothing had been sent."""
    harness = at("voiceai")
    build = in_doubt(harness, "va_clone")
    reconcile.reconcile_build(str(build.pk))
    with pytest.raises(ActionRefused, match="made"):
        cancel_build(again(build), harness.producer)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- while it is sent -------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_account_that_is_paused_while_a_build_is_sent(at: At, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is sent, and it goes on where it stopped when the account is resumed."""
    harness = at(provider)
    build = started(harness)
    asked: list[int] = []

    def pause() -> None:
        accounts.pause_account(harness.account, "Stop!", harness.producer)
        asked.append(harness.count_requests())

    then(monkeypatch, BuildJournal, "record_progress", pause)
    harness.reach_status(build, BuildStatus.QUEUED)
    assert "Stop!" in build.progress_message
    # Of a file that is being sent, what belongs to it.
    assert harness.count_requests() - asked[0] <= (3 if provider == "audiostack" else 0)
    accounts.resume_account(again(harness.account))
    assert harness.finish_build(build).status == BuildStatus.READY


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_recording_that_is_not_what_it_was_is_not_sent(at: At, provider: str) -> None:
    """The file was put in place of another, of the same length, after the build was started."""
    harness = at(provider)
    build = started(harness)
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


def test_take_that_is_not_what_was_approved_is_not_sent(at: At) -> None:
    harness = at("resemble_v2")
    build = started(harness)
    take = build.consent.take
    assert take
    take.file.storage.delete(str(take.file.name))
    take.file.storage.save(str(take.file.name), make_upload("rms-01"))
    harness.reach_status(build, BuildStatus.FAILED)
    assert "has changed since" in build.issue
    assert not harness.list_requests()


# --- what is kept -----------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai"])
def test_no_address_of_use_is_kept_where_people_read(at: At, provider: str, settings: Any) -> None:
    """An address that lets in whoever has it: to put a file, to fetch a sample, or to call back."""
    harness = at(provider)
    build = harness.finish_build(started(harness))
    assert build.status == BuildStatus.READY
    remote = again(build.remote_voice)
    said = [call.response_text for call in AccountCall.objects.all()]
    for text in (*said, str(build.raw_response), str(remote.raw_response), build.issue, build.progress_message):
        assert not ADDRESS.search(text), text


def test_newest_calls_are_kept_when_two_write_at_once(at: At) -> None:
    harness = at("resemble_v2")
    now = timezone.now()
    AccountCall.objects.bulk_create(
        AccountCall(account=harness.account, at=now - timedelta(hours=n), operation="old") for n in range(150)
    )

    def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("DELETE") and not AccountCall.objects.filter(operation="newest").exists():
            AccountCall.objects.create(account=harness.account, at=timezone.now(), operation="newest")
        return execute(sql, *rest)

    with connection.execute_wrapper(meanwhile):
        accounts.test_account(harness.account)
    assert AccountCall.objects.filter(operation="newest").exists()
    assert AccountCall.objects.count() <= accounts.MAX_CALLS + 1


def test_refusal_of_the_old_key_does_not_stop_the_new_one(at: At) -> None:
    harness = at("resemble_v2")
    with pytest.raises(ProviderAuthError), accounts.open_session(again(harness.account)):
        accounts.change_key(again(harness.account), f"{harness.key}-new")
        raise ProviderAuthError("list", "No.")
    assert again(harness.account).paused_at is None


def test_saving_an_account_in_the_admin_undoes_no_pause(at: At, rf: Any) -> None:
    harness = at("resemble_v2")
    stale = again(harness.account)
    accounts.pause_account(harness.account, "Stop!", harness.producer)
    form = AccountAdminForm({"name": "New", "provider": "resemble_v2", "mode": "sandbox"}, instance=stale)
    assert form.is_valid()
    AccountAdmin(Account, site).save_model(rf.post("/"), form.save(commit=False), form, change=True)
    kept = again(harness.account)
    assert (kept.name, bool(kept.paused_at)) == ("New", True)


def test_account_with_voices_stays_where_they_are(at: At) -> None:
    """Elsewhere a voice in doubt would be looked for in vain, and made a second time."""
    harness = at("voiceai")
    in_doubt(harness, "va_clone")
    for change in ({"mode": "live"}, {"provider": "speechgen"}):
        data = {"name": harness.account.name, "provider": "voiceai", "mode": "sandbox"} | change
        assert not AccountAdminForm(data, instance=again(harness.account)).is_valid()
        data = {"name": "Other", "provider": "voiceai", "mode": "sandbox"}
        assert AccountAdminForm(data, instance=again(harness.account)).is_valid()


def test_sound_is_not_lost_with_the_log(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was locked when the answer that came with it was to be written down."""
    harness = at("voiceai")
    preview = request_preview(ready(harness), "Hello there.", harness.producer)

    def locked(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(AccountCall.objects, "bulk_create", locked)
    make_preview(str(preview.pk))
    assert again(preview).status == PreviewStatus.READY


def test_dataset_is_not_given_out_without_a_contract(at: At) -> None:
    harness = at("resemble_v2")
    build = harness.start_build(harness.make_voice(), Tier.RAPID, Handover.DATASET_URL)
    token = derive_token("dataset", build.pk)
    assert open_dataset(token, None, "") is not None
    Contract.objects.update(ends_on=timezone.localdate() - timedelta(days=1))
    assert open_dataset(token, None, "") is None
    Contract.objects.update(ends_on=None)
    Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    assert open_dataset(token, None, "") is None


# --- a voice over there -----------------------------------------------------------------


def ready(harness: BuildHarness) -> RemoteVoice:
    build = harness.finish_build(started(harness))
    assert build.status == BuildStatus.READY
    return RemoteVoice.objects.get(pk=build.remote_voice_id)


def test_voice_that_is_being_built_is_not_deleted(at: At) -> None:
    """However the two came together: the build was paid for."""
    harness = at("resemble_v2")
    remote = ready(harness)
    remote_voices.request_deletion(remote, harness.producer, "Old.")
    Build.objects.filter(remote_voice=remote).update(status=BuildStatus.TRAINING)
    assert remote_voices.delete_remote_voice(str(remote.pk))
    assert not harness.list_requests("delete_voice")
    Build.objects.filter(remote_voice=remote).update(status=BuildStatus.READY)
    assert remote_voices.delete_remote_voice(str(remote.pk)) is None
    assert again(remote).deleted_at


def test_deletion_is_asked_as_one_with_its_task(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    monkeypatch.setattr("voicehub.outbox.enqueue_task", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        remote_voices.request_deletion(remote, harness.producer, "Old.")
    assert again(remote).deletion_requested_at is None
    with pytest.raises(ZeroDivisionError):
        request_preview(again(remote), "Hello.", harness.producer)
    assert not Preview.objects.filter(remote_voice=remote).exists()


def test_voice_that_may_not_be_deleted_stops_no_account(at: At) -> None:
    """It is asked again and again, and would pause the account each time."""
    harness = at("voiceai")
    remote = ready(harness)
    harness.sandbox.faults({"operation": "va_delete_voice", "do": "status:403"})
    remote_voices.request_deletion(remote, harness.producer, "Old.")
    harness.run_tasks()
    assert again(harness.account).paused_at is None
    assert again(remote).deleted_at is None
    harness.sandbox.faults()
    harness.run_tasks()
    assert again(remote).deleted_at


def test_deletion_is_not_proved_by_the_key_of_another_account(at: At) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    accounts.change_key(harness.account, f"{harness.key}-of-another")
    remote_voices.request_deletion(remote, harness.producer, "The talent asked for it.")
    harness.run_tasks(2)
    assert again(remote).deleted_at is None
    assert "key" in again(remote).alert
    accounts.change_key(harness.account, harness.key)
    harness.run_tasks()


def test_voice_in_the_making_is_nobody_s_to_adopt_or_delete(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is lost, and its id not known yet: by its name it is ours."""
    harness = at("voiceai")
    build = in_doubt(harness, "va_clone")
    with registry.open_provider(harness.account) as provider:
        made = next(provider.list_voices()).remote_id
    assert unknown_voices.list_unknown_voices(harness.account) == []
    with pytest.raises(ActionRefused, match="creating this voice"):
        unknown_voices.adopt_voice(harness.account, made, Tier.RAPID, build.voice, harness.producer)
    with pytest.raises(ActionRefused, match="creating this voice"):
        unknown_voices.delete_unknown_voice(harness.account, made, Tier.RAPID, harness.producer, "Nobody's.")
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == {"va_clone": 1}


def test_voice_whose_build_begins_while_the_list_is_read_is_no_orphan(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = at("voiceai")
    made: list[RemoteVoice] = []
    listed = unknown_voices._list_voices

    def slow(provider: Any) -> Any:
        made.append(ready(harness))
        return listed(provider)

    monkeypatch.setattr(unknown_voices, "_list_voices", slow)
    assert unknown_voices.list_unknown_voices(harness.account) == []
    assert made


def test_change_that_failed_does_not_silence_the_alarm(at: At) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    harness.sandbox.faults({"operation": "va_update_voice", "do": "status:400"})
    with pytest.raises(ActionRefused):
        remote_voices.set_visibility(remote, Visibility.PUBLIC, harness.producer)
    assert again(remote).made_public_by is None


# --- previews ---------------------------------------------------------------------------


def test_sentence_that_is_asked_for_twice_at_once_is_paid_once(at: At) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    request_preview(remote, "Hello there.", harness.producer)
    with pytest.raises(ActionRefused, match="already"):
        request_preview(remote, "Hello  there.", harness.producer)
    harness.run_tasks(2)
    assert harness.count_billed()["va_speech"] == 1
    request_preview(remote, "Hello there.", harness.producer)


def test_voice_whose_end_was_asked_for_does_not_speak_any_more(at: At) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    preview = request_preview(remote, "Hello there.", harness.producer)
    RemoteVoice.objects.filter(pk=remote.pk).update(deletion_requested_at=timezone.now())
    harness.run_tasks(2)
    assert again(preview).status == PreviewStatus.FAILED
    assert not harness.list_requests("va_speech")


def test_voice_whose_consent_was_taken_back_does_not_speak_any_more(at: At) -> None:
    harness = at("voiceai")
    remote = ready(harness)
    preview = request_preview(remote, "Hello there.", harness.producer)
    withdraw_consent(remote.builds.get().consent, harness.producer, "Changed her mind.")
    harness.run_tasks(2)
    assert again(preview).status == PreviewStatus.FAILED
    assert not harness.list_requests("va_speech")


def test_sound_that_comes_after_its_worker_was_given_up_is_kept(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was paid for: whoever takes the task over calls it interrupted, and the sound comes all the same."""
    harness = at("voiceai")
    preview = request_preview(ready(harness), "Hello there.", harness.producer)
    adapter = registry.get_provider_class("voiceai")
    then(monkeypatch, adapter, "generate_preview", lambda: make_preview(str(preview.pk)))
    make_preview(str(preview.pk))
    kept = again(preview)
    assert (kept.status, kept.issue) == (PreviewStatus.READY, "")
    assert kept.file.size > 1000


# --- news -------------------------------------------------------------------------------


def test_callback_of_a_provider_that_sends_none_stops_no_build(at: At) -> None:
    harness = at("voiceai")
    build = harness.reach_status(started(harness), BuildStatus.TRAINING)
    Callback.objects.create(build=build, body="{}", body_sha256="0" * 64)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_person_who_concludes_too_late_is_told(at: At) -> None:
    harness = at("resemble_v2")
    build = harness.reach_status(started(harness), BuildStatus.TRAINING)
    build.has_unknown_status = True
    Build.objects.filter(pk=build.pk).update(has_unknown_status=True)
    stale = again(build)
    harness.finish_build(build)
    with pytest.raises(ActionRefused):
        reconcile.resolve_training_manually(stale, harness.producer, BuildStatus.FAILED, WHY)
    assert again(build).status == BuildStatus.READY


def test_training_that_is_understood_again_is_not_concluded_by_hand(at: At) -> None:
    harness = at("resemble_v2")
    build = harness.reach_status(started(harness), BuildStatus.TRAINING)
    build.has_unknown_status = True  # as the page was, before the provider said a word that we know
    with pytest.raises(ActionRefused):
        reconcile.resolve_training_manually(build, harness.producer, BuildStatus.READY, WHY)
    assert again(build).status == BuildStatus.TRAINING
