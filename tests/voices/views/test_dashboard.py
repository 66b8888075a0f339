"""The Today page: every kind of waiting item has a row, and the query count does not grow with rows."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Invitation, Talent, TalentMail
from consent.services.questions import answer_question, ask_question
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task, TaskStatus, User
from voicehub.task_labels import TASK_LABELS
from voices.models import Account, LimitOverride, RemoteVoice, Voice
from voices.views import next_steps
from voices.views.next_step import NextStep

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_today(client: Client) -> str:
    response = client.get(reverse("today"))
    assert response.status_code == 200
    return read_html(response)


def get_step(client: Client, subject: str) -> NextStep:
    steps: list[NextStep] = client.get(reverse("today")).context["steps"]
    (step,) = [row for row in steps if row.subject == subject]
    return step


def test_today_page_of_an_empty_studio_shows_the_first_steps(producer_client: Client) -> None:
    text = read_today(producer_client)
    assert "Add your first talent" in text
    assert reverse("consent:talent_add") in text
    assert "No provider account is set up" in text


def test_viewer_gets_no_link_to_a_form_that_viewers_may_not_use(viewer_client: Client, studio: Studio) -> None:
    studio.make_talent("Nils")
    assert reverse("consent:contract_add", args=[Talent.objects.get().pk]) not in read_today(viewer_client).replace(
        f'<a href="{get_step(viewer_client, "N.").url}">', ""
    )
    assert not get_step(viewer_client, "N.").is_allowed


def test_steps_of_a_talent_go_from_contract_to_consent_to_voice(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    assert get_step(producer_client, "Nils").action == "Add contract"
    studio.make_contract(talent)
    assert get_step(producer_client, "Nils").action == "Request consent"
    consent = studio.make_consent(talent, ConsentStatus.SUBMITTED)
    assert (get_step(producer_client, "Nils").action, get_step(producer_client, "Nils").url) == (
        "Review",
        f"{consent.get_absolute_url()}#review",
    )
    Consent.objects.update(status=ConsentStatus.APPROVED)
    assert get_step(producer_client, "Nils").action == "Add voice"


def test_next_steps_begin_with_a_remote_voice_that_has_an_alert(viewer_client: Client, studio: Studio) -> None:
    studio.make_voice("Bright")
    remote = studio.make_build(status="ready").remote_voice
    RemoteVoice.objects.update(alert="Everyone can use it.", visibility="public")
    first = viewer_client.get(reverse("today")).context["steps"][0]
    assert (first.subject, first.status, first.severity) == ("Warm narrator", "Public", "bad")
    assert (first.reasons, first.url) == (("Everyone can use it.",), remote.get_absolute_url())
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), deletion_proof={"look": "ready"})
    assert viewer_client.get(reverse("today")).context["steps"][0].status == "Not deleted"
    RemoteVoice.objects.update(deleted_at=timezone.now())
    assert "Everyone can use it." not in read_today(viewer_client)


def test_paused_account_counts_as_an_account(producer_client: Client, studio: Studio) -> None:
    Account.objects.update(paused_at=timezone.now(), pause_reason="The key is refused.")
    assert "No provider account is set up" not in read_today(producer_client)
    assert get_step(producer_client, "Main").reasons == ("The key is refused.",)


def test_several_consents_of_a_talent_share_one_step(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    oldest, _newest = [studio.make_consent(talent, ConsentStatus.SUBMITTED) for _ in range(2)]
    step = get_step(producer_client, "Nils")
    assert (step.reasons, step.url) == (("2 consents need review.",), f"{oldest.get_absolute_url()}#review")


def test_step_of_a_voice_lists_every_reason_that_blocks_a_build(producer_client: Client, studio: Studio) -> None:
    studio.make_voice("Bright", studio.make_talent())
    reasons = " ".join(get_step(producer_client, "Bright").reasons)
    for phrase in ("has not been asked for consent", "No contract", "3 more recordings are needed"):
        assert phrase in reasons


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (lambda voice: Consent.objects.update(status=ConsentStatus.SUSPENDED), "suspended"),
        (lambda voice: Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1)), "ended on"),
        (lambda voice: voice.talent.contracts.update(providers=["other"]), "does not allow"),
        (
            lambda voice: voice.talent.contracts.update(ends_on="2025-06-01"),
            "is in force today: the latest ended on June 1, 2025",
        ),
        (lambda voice: voice.recordings.update(transcript=""), "3 recordings have no transcript"),
        (lambda voice: voice.recordings.update(active=False), "3 more recordings are needed"),
        (lambda voice: voice.recordings.update(seconds=2), "Another 4 s"),
    ],
)
def test_change_of_a_ready_voice_gives_the_reason_that_blocks_a_build(
    producer_client: Client, studio: Studio, change: Callable[..., None], phrase: str
) -> None:
    voice = studio.make_voice("Bright")
    studio.make_recordings(voice)
    assert get_step(producer_client, "Bright").status == "Ready to build"
    change(voice)
    assert phrase in " ".join(get_step(producer_client, "Bright").reasons)


@pytest.mark.parametrize(
    ("end_consent_or_contract", "reason", "action"),
    [
        (lambda: Consent.objects.update(status=ConsentStatus.SUSPENDED), "suspended", "Resume consent"),
        (lambda: Consent.objects.update(status=ConsentStatus.WITHDRAWN), "withdrawn", "See answer"),
        (lambda: Contract.objects.update(ends_on="2025-06-01"), "the latest ended on June 1, 2025", "Add contract"),
    ],
)
def test_voice_whose_consent_or_contract_ended_after_a_build_needs_a_step(
    producer_client: Client, studio: Studio, end_consent_or_contract: Callable[[], None], reason: str, action: str
) -> None:
    build = studio.make_build(status="ready")
    assert build.voice.name not in {row.subject for row in next_steps.list_steps()}
    assert "Build again</button>" in producer_client.get(build.get_absolute_url()).content.decode()
    end_consent_or_contract()
    step = get_step(producer_client, build.voice.name)
    assert reason in " ".join(step.reasons)
    assert step.action == action
    text = read_html(producer_client.get(build.get_absolute_url()))
    assert "Build again</button>" not in text
    assert reason in text


def test_built_voice_with_a_newer_consent_in_force_needs_no_step(studio: Studio) -> None:
    build = studio.make_build(status="ready")
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    studio.make_consent(build.voice.talent)
    assert not next_steps.list_steps()


def test_step_of_a_viewer_links_to_the_voice_page_and_not_to_a_form(viewer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    studio.make_consent(talent, ConsentStatus.SUBMITTED)
    studio.make_voice("Quiet")
    assert not get_step(viewer_client, "N.").is_allowed
    step = get_step(viewer_client, "Quiet")
    assert (step.is_allowed, step.url) == (False, Voice.objects.get().get_absolute_url())
    flagged = studio.make_build(Voice.objects.get(), status="dataset_issue")
    text = read_html(viewer_client.get(flagged.get_absolute_url()))
    assert "Fix recordings" not in text


def test_only_newest_ended_build_of_a_voice_is_shown(viewer_client: Client, studio: Studio) -> None:
    old = studio.make_build(status="failed")
    assert old.get_absolute_url() in viewer_client.get(reverse("voices:active_builds")).content.decode()
    new = studio.make_build(old.voice, status="ready")
    text = read_html(viewer_client.get(reverse("voices:active_builds")))
    assert new.get_absolute_url() in text
    assert old.get_absolute_url() not in text


def test_limit_override_changes_the_reasons_of_a_step(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice("Bright")
    studio.make_recordings(voice)
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="least_recordings", value=5, source="E-mail of the provider."
    )
    assert get_step(producer_client, "Bright").reasons == ("2 more recordings are needed.",)


def test_step_counts_flagged_recordings_instead_of_the_providers_text(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue", issue="Look at line-001-5408b2c5.")
    assert get_step(producer_client, build.voice.name).reasons == (build.issue,)
    silent, other, both = build.recordings.order_by("pk")
    build.recordings.filter(pk=other.pk).update(is_outlier=True)
    reason = "1 recording with another speaker or sound."
    assert get_step(producer_client, build.voice.name).reasons == (reason,)
    build.recordings.filter(pk__in=[silent.pk, both.pk]).update(is_silent=True)
    build.recordings.filter(pk=both.pk).update(is_outlier=True)
    reason = "2 silent recordings, 1 with another speaker or sound."
    assert get_step(producer_client, build.voice.name).reasons == (reason,)


def test_recordings_that_the_provider_did_not_use_count_as_flagged(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue")
    silent, unused, both = build.recordings.order_by("pk")
    build.recordings.filter(pk__in=[unused.pk, both.pk]).update(discard_reason="Too short.")
    build.recordings.filter(pk__in=[silent.pk, both.pk]).update(is_silent=True)
    assert get_step(producer_client, build.voice.name).reasons == ("2 silent recordings, 1 not used.",)


def test_build_with_an_unknown_status_needs_an_answer_from_staff(
    producer_client: Client, viewer_client: Client, studio: Studio
) -> None:
    build = studio.make_build(status="training", raw_status="half-baked")
    assert build.voice.name not in {row.subject for row in next_steps.list_steps()}
    type(build).objects.update(has_unknown_status=True)
    step = get_step(producer_client, build.voice.name)
    url = f"{build.get_absolute_url()}#unknown-status"
    assert (step.status, step.action, step.url) == ("Needs an answer", "Answer", url)
    assert step.reasons == ("The provider reports “half-baked”, an unknown status. Check the provider's website.",)
    assert not get_step(viewer_client, build.voice.name).is_allowed
    type(build).objects.update(raw_status="")
    assert get_step(producer_client, build.voice.name).reasons[0].startswith("The provider no longer reports a status.")


def test_build_waiting_for_a_paused_account_says_so(viewer_client: Client, studio: Studio) -> None:
    studio.make_build(status="queued")
    path = reverse("voices:active_builds")
    change_token = viewer_client.get(path).context["active_builds"].change_token
    Account.objects.update(paused_at=timezone.now())
    assert "Waiting: the account Main is paused." in viewer_client.get(path, {"seen": change_token}).content.decode()


def test_build_that_is_tried_again_shows_the_reason(viewer_client: Client, studio: Studio) -> None:
    studio.make_build(status="queued", progress_message="The provider is busy. Trying again.")
    assert "The provider is busy. Trying again." in read_today(viewer_client)


def test_list_of_active_builds_polls_until_all_are_finished(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    path = reverse("voices:active_builds")
    first = viewer_client.get(path)
    assert 'hx-trigger="every 2s"' in first.content.decode()
    assert viewer_client.get(path, {"seen": first.context["active_builds"].change_token}).status_code == 204
    type(build).objects.update(status="ready", finished_at=timezone.now())
    final = read_html(viewer_client.get(path, {"seen": first.context["active_builds"].change_token}))
    assert "Ready" in final
    assert "every 2s" not in final


def test_invitation_is_shown_as_not_opened_opened_or_expired(viewer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Clara")
    consent = studio.make_consent(talent, ConsentStatus.REQUESTED)
    assert "No open invitation" in read_today(viewer_client)
    invitation = Invitation.objects.create(
        talent=talent, channel="mail", token_digest="a" * 64, created_by=studio.producer
    )
    invitation.consents.add(consent)
    assert "Not opened" in read_today(viewer_client)
    Invitation.objects.update(opened_at=timezone.now())
    assert ">Opened<" in read_today(viewer_client)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "No open invitation" in read_today(viewer_client)


def test_talent_can_be_reminded_a_day_after_the_last_mail(
    producer_client: Client, viewer_client: Client, studio: Studio
) -> None:
    talent = studio.make_talent("Clara")
    invitation = Invitation.objects.create(
        talent=talent, channel="mail", token_digest="a" * 64, created_by=studio.producer
    )
    invitation.consents.add(studio.make_consent(talent, ConsentStatus.REQUESTED))
    address = reverse("consent:remind", args=[invitation.consents.get().pk, invitation.pk])
    cases = ((None, None, False), (2, None, True), (0, None, False), (9, 0, False), (9, 2, True))
    for sent, reminded, can_remind in cases:
        days_ago = {"sent_at": sent, "reminded_at": reminded}
        times = {
            name: None if days is None else timezone.now() - timedelta(days=days) for name, days in days_ago.items()
        }
        Invitation.objects.update(**times)
        assert (address in read_today(producer_client)) == can_remind, (sent, reminded)
        assert address not in read_today(viewer_client), "a viewer invites no one"


def test_talent_with_an_open_question_gets_an_answer_and_no_reminder(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Clara")
    invitation = Invitation.objects.create(
        talent=talent,
        channel="mail",
        token_digest="a" * 64,
        created_by=studio.producer,
        sent_at=timezone.now() - timedelta(days=2),
    )
    consent = studio.make_consent(talent, ConsentStatus.REQUESTED)
    invitation.consents.add(consent)
    question = ask_question(invitation, consent, "Which language?")
    address, answer = reverse("consent:remind", args=[consent.pk, invitation.pk]), ">Asked a question<"
    page = read_today(producer_client)
    assert answer in page and f'href="{consent.get_absolute_url()}#questions"' in page and address not in page
    answer_question(question, studio.producer, "English.")
    page = read_today(producer_client)
    assert answer not in page and address in page


def test_contracts_ending_within_60_days_are_listed(viewer_client: Client, studio: Studio) -> None:
    today = timezone.localdate()
    for name, days in (("Soon", 60), ("Later", 61), ("Today", 0), ("Gone", -1)):
        studio.make_contract(studio.make_talent(name), ends_on=today + timedelta(days=days))
    ending = viewer_client.get(reverse("today")).context["ending_contracts"]
    assert [(row.talent.name, row.days_left) for row in ending] == [("Today", 0), ("Soon", 60)]


def test_everyone_sees_failed_tasks_and_only_admins_can_retry_them(
    client: Client, viewer_client: Client, studio: Studio, admin: User
) -> None:
    build = studio.make_build(status="queued")
    task = Task.objects.create(
        kind="submit_build", object_id=str(build.pk), status=TaskStatus.FAILED, reason="The disk is full."
    )
    urls = [reverse(f"voices:{name}", args=[task.pk]) for name in ("task_retry", "task_seen")]
    assert "The disk is full." in read_today(viewer_client)
    assert not any(url in read_today(viewer_client) for url in urls)
    client.force_login(admin)
    assert all(url in read_today(client) for url in urls)
    client.post(urls[0])
    task.refresh_from_db()
    assert (task.status, "The disk is full." in read_today(client)) == (TaskStatus.WAITING, False)
    assert "has not failed" in read_html(client.post(urls[0], follow=True))


def test_failed_task_leaves_today_when_an_admin_marks_it_as_seen(client: Client, studio: Studio, admin: User) -> None:
    studio.make_talent()
    task = Task.objects.create(kind="submit_build", object_id="1", status=TaskStatus.FAILED, reason="The disk is full.")
    client.force_login(admin)
    url = reverse("voices:task_seen", args=[task.pk])
    assert "The disk is full." not in read_html(client.post(url, follow=True))
    task.refresh_from_db()
    assert (task.status, task.seen_by) == (TaskStatus.FAILED, admin)
    assert "already marked" in read_html(client.post(url, follow=True))
    outbox.retry_task(task)
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.FAILED)
    assert "The disk is full." in read_today(client), "a retry that fails again is on the page again"


def test_every_task_kind_has_a_label() -> None:
    assert set(outbox._handlers) <= set(TASK_LABELS)


def test_task_with_an_invalid_object_id_does_not_break_the_page(viewer_client: Client, studio: Studio) -> None:
    studio.make_talent()
    Task.objects.create(kind="submit_build", object_id="not-a-uuid", status=TaskStatus.FAILED, reason="Lost.")
    assert "Lost." in read_today(viewer_client)


# --- Query counts ------------------------------------------------------------------------


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def make_rows(studio: Studio, count: int) -> None:
    """Make this many items of every kind that the Today page lists."""
    for number in range(count):
        tag = f"{Talent.objects.count()}-{number}"
        Account.objects.create(name=tag, provider="resemble_v2", paused_at=timezone.now(), pause_reason="Why.")
        studio.make_consent(studio.make_talent(f"Review {tag}"), ConsentStatus.SUBMITTED)
        invited = studio.make_talent(f"Invited {tag}")
        Invitation.objects.create(
            talent=invited, channel="mail", token_digest=f"{tag:0>64}", created_by=studio.producer
        ).consents.add(studio.make_consent(invited, ConsentStatus.REQUESTED))
        withdrawn = studio.make_consent(studio.make_talent(f"Reported {tag}"), ConsentStatus.WITHDRAWN)
        TalentMail.objects.create(
            consent=withdrawn, kind="withdrawn", recipient="talent", sent_to="a@b.test", disputed_at=timezone.now()
        )
        studio.make_talent(f"New {tag}")
        studio.make_voice(f"Blocked {tag}", studio.make_talent(f"Blocked {tag}"))
        expired = studio.make_talent(f"Expired {tag}")
        studio.make_contract(expired, ends_on="2025-06-01")
        studio.make_consent(expired)
        planned = studio.make_build(studio.make_voice(f"Expired {tag}", expired), status="ready")
        RemoteVoice.objects.filter(pk=planned.remote_voice_id).update(
            coverage_ended_on="2025-06-01", deletion_due_on=timezone.localdate(), coverage_end_reason="It ended."
        )
        held = studio.make_talent(f"Held {tag}")
        Talent.objects.filter(pk=held.pk).update(legal_hold_at=timezone.now(), legal_hold_by=studio.producer)
        for status in ("training", "failed", "unconfirmed"):
            talent = studio.make_talent(f"{status} {tag}")
            studio.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=5))
            studio.make_consent(talent)
            build = studio.make_build(studio.make_voice(f"{status} {tag}", talent), status=status, lookup_attempts=1)
            RemoteVoice.objects.filter(pk=build.remote_voice_id).update(alert="Everyone can use it.")
            Contract.objects.filter(talent=talent).update(file_problem="The file is missing.")
            Consent.objects.filter(talent=talent).update(broken_event=2)
            Task.objects.create(
                kind="submit_build", object_id=str(build.pk), status=TaskStatus.FAILED, reason="Stopped."
            )


@pytest.mark.both_databases
def test_query_count_of_today_does_not_grow_with_rows(producer_client: Client, studio: Studio) -> None:
    make_rows(studio, 1)
    count_queries(producer_client, reverse("today"))
    expected = count_queries(producer_client, reverse("today"))
    make_rows(studio, 4)
    assert count_queries(producer_client, reverse("today")) == expected
    assert expected < 37


def test_query_count_of_voice_page_does_not_grow_with_rows(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice, 3)
    studio.make_build(voice, status="failed")
    count_queries(producer_client, voice.get_absolute_url())
    expected = count_queries(producer_client, voice.get_absolute_url())
    studio.make_fileless_recordings(voice, 60)
    for _ in range(3):
        studio.make_build(voice, status="failed")
    assert count_queries(producer_client, voice.get_absolute_url()) == expected


def test_query_count_of_today_does_not_grow_with_accounts(producer_client: Client, studio: Studio) -> None:
    studio.make_voice()
    count_queries(producer_client, reverse("today"))
    expected = count_queries(producer_client, reverse("today"))
    for number, provider in enumerate(("resemble_v1", "audiostack", "speechgen", "voiceai", "audiostack")):
        Account.objects.create(name=f"More {number}", provider=provider)
    assert count_queries(producer_client, reverse("today")) == expected


def test_query_count_of_build_page_does_not_grow_with_recordings(producer_client: Client, studio: Studio) -> None:
    first = studio.make_build(status="ready")
    small = studio.make_build(first.voice, status="ready")  # with a build before it, as the large one
    expected = count_queries(producer_client, small.get_absolute_url())
    studio.make_fileless_recordings(small.voice, 60)
    large = studio.make_build(small.voice, status="ready")
    assert count_queries(producer_client, large.get_absolute_url()) == expected


def test_query_count_of_account_list_does_not_grow_with_accounts(client: Client, studio: Studio, admin: object) -> None:
    client.force_login(admin)  # type: ignore[arg-type]
    expected = count_queries(client, reverse("voices:account_list"))
    for number in range(5):
        Account.objects.create(name=f"More {number}", provider="resemble_v2")
    assert count_queries(client, reverse("voices:account_list")) == expected


def get_step_by_url(client: Client, url: str) -> NextStep:
    steps: list[NextStep] = client.get(reverse("today")).context["steps"]
    return next(step for step in steps if step.url == url)


def test_open_deletions_are_next_steps(viewer_client: Client, studio: Studio) -> None:
    """Also when the voice has a newer build. AudioStack has no API call to delete a voice, so staff must delete it."""
    build = studio.make_build(status="ready")
    studio.make_build(build.voice, status="failed")
    deletion_url = f"{build.remote_voice.get_absolute_url()}#deletion"
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(remote_id="clone-1")
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), deletion_reason="The consent was withdrawn.")
    step = get_step_by_url(viewer_client, deletion_url)
    assert f">{RemoteVoice.objects.count()} open<" in read_today(viewer_client)
    assert step.status == "Being deleted"
    assert step.reasons == ("The consent was withdrawn. VoiceHub deletes it at the provider.",)
    Account.objects.update(provider="audiostack")
    step = get_step_by_url(viewer_client, deletion_url)
    assert (step.status, step.action) == ("To delete", "Confirm the deletion")
    assert "AudioStack, which has no API call for this" in step.reasons[0]
    page = viewer_client.get(build.remote_voice.get_absolute_url()).content.decode()
    assert "To delete" in page and "Being deleted" not in page and "hx-trigger" not in page
    RemoteVoice.objects.update(deleted_at=timezone.now())
    page = read_today(viewer_client)
    assert "To delete" not in page and "None is open." in page
