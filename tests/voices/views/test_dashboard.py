"""Today: every kind of thing that waits has its row, and the page costs the same however many there are."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Invitation, Talent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voices.models import Account, LimitOverride, RemoteVoice, Voice
from voices.views import dashboard_lists, next_steps

pytestmark = pytest.mark.django_db


def today(client: Client) -> str:
    response = client.get(reverse("today"))
    assert response.status_code == 200
    return read_html(response)


def step(client: Client, subject: str) -> next_steps.NextStep:
    steps: list[next_steps.NextStep] = client.get(reverse("today")).context["steps"]
    (found,) = [row for row in steps if row.subject == subject]
    return found


def test_the_first_day_says_how_to_begin(as_producer: Client) -> None:
    text = today(as_producer)
    assert "Add your first talent" in text
    assert reverse("consent:talent_add") in text
    assert "No provider account is set up" in text


def test_a_viewer_is_offered_nothing_that_is_not_allowed(as_viewer: Client, studio: Studio) -> None:
    studio.make_talent("Nils")
    assert reverse("consent:contract_add", args=[Talent.objects.get().pk]) not in today(as_viewer).replace(
        f'<a href="{step(as_viewer, "Nils").url}">', ""
    )
    assert not step(as_viewer, "Nils").is_allowed


def test_a_talent_is_led_from_contract_to_consent_to_voice(as_producer: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    assert step(as_producer, "Nils").action == "Add contract"
    studio.make_contract(talent)
    assert step(as_producer, "Nils").action == "Request consent"
    consent = studio.make_consent(talent, ConsentStatus.SUBMITTED)
    assert (step(as_producer, "Nils").action, step(as_producer, "Nils").url) == ("Review", consent.get_absolute_url())
    Consent.objects.update(status=ConsentStatus.APPROVED)
    assert step(as_producer, "Nils").action == "Add a voice"


def test_a_voice_that_others_can_use_comes_first(as_viewer: Client, studio: Studio) -> None:
    studio.make_voice("Bright")
    remote = studio.make_build(status="ready").remote_voice
    RemoteVoice.objects.update(alert="Everybody can use it.", visibility="public")
    first = as_viewer.get(reverse("today")).context["steps"][0]
    assert (first.subject, first.status, first.severity) == ("Warm narrator", "Public", "bad")
    assert (first.reasons, first.url) == (("Everybody can use it.",), remote.get_absolute_url())
    RemoteVoice.objects.update(deletion_requested_at=timezone.now(), deletion_proof={"look": "ready"})
    assert as_viewer.get(reverse("today")).context["steps"][0].status == "Not deleted"
    RemoteVoice.objects.update(deleted_at=timezone.now())
    assert "Everybody can use it." not in today(as_viewer)


def test_a_paused_account_is_an_account_all_the_same(as_producer: Client, studio: Studio) -> None:
    Account.objects.update(paused_at=timezone.now(), pause_reason="The key is refused.")
    assert "No provider account is set up" not in today(as_producer)
    assert step(as_producer, "Main").reasons == ("The key is refused.",)


def test_several_consents_of_a_talent_are_one_row(as_producer: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    for _ in range(2):
        studio.make_consent(talent, ConsentStatus.SUBMITTED)
    assert step(as_producer, "Nils").reasons == ("2 consents need review.",)


def test_a_voice_says_everything_that_blocks_it(as_producer: Client, studio: Studio) -> None:
    studio.make_voice("Bright", studio.make_talent())
    reasons = " ".join(step(as_producer, "Bright").reasons)
    for word in ("has not been asked for consent", "No contract", "3 more recordings are needed"):
        assert word in reasons


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda voice: Consent.objects.update(status=ConsentStatus.SUSPENDED), "suspended"),
        (lambda voice: Consent.objects.update(valid_until=timezone.localdate() - timedelta(days=1)), "ended on"),
        (lambda voice: voice.talent.contracts.update(providers=["other"]), "does not allow"),
        (
            lambda voice: voice.talent.contracts.update(ends_on="2025-06-01"),
            "is in force today: the latest ended on 01 June 2025",
        ),
        (lambda voice: voice.recordings.update(transcript=""), "3 recordings have no transcript"),
        (lambda voice: voice.recordings.update(active=False), "3 more recordings are needed"),
        (lambda voice: voice.recordings.update(seconds=2), "Another 4 s"),
    ],
)
def test_a_voice_that_is_ready_stops_being_so(
    as_producer: Client, studio: Studio, spoil: Callable[..., None], word: str
) -> None:
    voice = studio.make_voice("Bright")
    studio.make_recordings(voice)
    assert step(as_producer, "Bright").status == "Ready to build"
    spoil(voice)
    assert word in " ".join(step(as_producer, "Bright").reasons)


@pytest.mark.parametrize(
    ("close", "words", "action"),
    [
        (lambda: Consent.objects.update(status=ConsentStatus.SUSPENDED), "suspended", "Open consent"),
        (lambda: Consent.objects.update(status=ConsentStatus.WITHDRAWN), "withdrawn", "Open consent"),
        (lambda: Contract.objects.update(ends_on="2025-06-01"), "the latest ended on 01 June 2025", "Add contract"),
    ],
)
def test_a_built_voice_whose_gate_has_closed_waits(
    as_producer: Client, studio: Studio, close: Callable[[], None], words: str, action: str
) -> None:
    build = studio.make_build(status="ready")
    assert build.voice.name not in {row.subject for row in next_steps.list_steps()}
    assert "Build again</button>" in as_producer.get(build.get_absolute_url()).content.decode()
    close()
    row = step(as_producer, build.voice.name)
    assert words in " ".join(row.reasons)
    assert row.action == action
    text = read_html(as_producer.get(build.get_absolute_url()))
    assert "Build again</button>" not in text
    assert words in text


def test_a_built_voice_with_a_newer_consent_in_force_does_not_wait(studio: Studio) -> None:
    build = studio.make_build(status="ready")
    Consent.objects.update(status=ConsentStatus.WITHDRAWN)
    studio.make_consent(build.voice.talent)
    assert not next_steps.list_steps()


def test_a_viewer_is_led_to_the_page_instead_of_the_form(as_viewer: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    studio.make_consent(talent, ConsentStatus.SUBMITTED)
    studio.make_voice("Silent one")
    assert not step(as_viewer, "Nils").is_allowed
    row = step(as_viewer, "Silent one")
    assert (row.is_allowed, row.url) == (False, Voice.objects.get().get_absolute_url())
    marked = studio.make_build(Voice.objects.get(), status="dataset_issue")
    text = read_html(as_viewer.get(marked.get_absolute_url()))
    assert "Mend" not in text


def test_of_builds_that_ended_only_the_newest_of_a_voice_is_shown(as_viewer: Client, studio: Studio) -> None:
    old = studio.make_build(status="failed")
    assert old.get_absolute_url() in as_viewer.get(reverse("voices:active_builds")).content.decode()
    new = studio.make_build(old.voice, status="ready")
    text = read_html(as_viewer.get(reverse("voices:active_builds")))
    assert new.get_absolute_url() in text
    assert old.get_absolute_url() not in text


def test_an_admins_limit_counts(as_producer: Client, studio: Studio) -> None:
    voice = studio.make_voice("Bright")
    studio.make_recordings(voice)
    LimitOverride.objects.create(
        provider="resemble_v2", tier="rapid", limit="least_recordings", value=5, source="Told by mail."
    )
    assert step(as_producer, "Bright").reasons == ("2 more recordings are needed.",)


@pytest.mark.parametrize("status", ["dataset_issue", "consent_rejected", "failed"])
def test_a_build_that_needs_work_waits_until_a_newer_one_begins(
    as_producer: Client, studio: Studio, status: str
) -> None:
    build = studio.make_build(status=status, issue="Why.")
    assert step(as_producer, build.voice.name).url == build.get_absolute_url()
    studio.make_build(build.voice, status="training")
    assert build.voice.name not in {row.subject for row in next_steps.list_steps()}


def test_marked_recordings_are_told_in_our_own_words(as_producer: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue", issue="Look at line-001-5408b2c5.")
    assert step(as_producer, build.voice.name).reasons == (build.issue,)
    silent, other, both = build.recordings.order_by("pk")
    build.recordings.filter(pk=other.pk).update(is_outlier=True)
    words = "1 recording was marked: 1 with another speaker or sound."
    assert step(as_producer, build.voice.name).reasons == (words,)
    build.recordings.filter(pk__in=[silent.pk, both.pk]).update(is_silent=True)
    build.recordings.filter(pk=both.pk).update(is_outlier=True)
    words = "3 recordings were marked: 2 silent, 1 with another speaker or sound."
    assert step(as_producer, build.voice.name).reasons == (words,)


def test_recordings_that_were_not_used_are_told_too(as_producer: Client, studio: Studio) -> None:
    build = studio.make_build(status="dataset_issue")
    silent, unused, both = build.recordings.order_by("pk")
    build.recordings.filter(pk__in=[unused.pk, both.pk]).update(discard_reason="Too short.")
    build.recordings.filter(pk__in=[silent.pk, both.pk]).update(is_silent=True)
    assert step(as_producer, build.voice.name).reasons == ("3 recordings were marked: 2 silent, 1 not used.",)


def test_a_word_that_nobody_knows_waits_for_a_person(as_producer: Client, as_viewer: Client, studio: Studio) -> None:
    build = studio.make_build(status="training", raw_status="half-baked")
    assert build.voice.name not in {row.subject for row in next_steps.list_steps()}
    type(build).objects.update(has_unknown_status=True)
    row = step(as_producer, build.voice.name)
    assert (row.status, row.action, row.url) == ("Needs an answer", "Answer", build.get_absolute_url())
    assert row.reasons == ("The provider reports “half-baked”, an unknown status. Check the provider's website.",)
    assert not step(as_viewer, build.voice.name).is_allowed
    type(build).objects.update(raw_status="")
    assert step(as_producer, build.voice.name).reasons[0].startswith("The provider no longer reports a status.")


def test_a_build_that_waits_for_its_account_says_so(as_viewer: Client, studio: Studio) -> None:
    studio.make_build(status="queued")
    path = reverse("voices:active_builds")
    seen = as_viewer.get(path).context["active_builds"].change_token
    Account.objects.update(paused_at=timezone.now())
    assert "Waiting: the account Main is paused." in as_viewer.get(path, {"seen": seen}).content.decode()


def test_what_is_tried_again_says_why(as_viewer: Client, studio: Studio) -> None:
    studio.make_build(status="queued", progress_message="The provider is busy. Trying again.")
    assert "The provider is busy. Trying again." in today(as_viewer)


def test_builds_move_by_themselves_until_all_are_over(as_viewer: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    path = reverse("voices:active_builds")
    first = as_viewer.get(path)
    assert 'hx-trigger="every 2s"' in first.content.decode()
    assert as_viewer.get(path, {"seen": first.context["active_builds"].change_token}).status_code == 204
    type(build).objects.update(status="ready", finished_at=timezone.now())
    last = read_html(as_viewer.get(path, {"seen": first.context["active_builds"].change_token}))
    assert "Ready" in last
    assert "every 2s" not in last


def test_an_invitation_is_shown_as_not_opened_then_opened_then_over(as_viewer: Client, studio: Studio) -> None:
    talent = studio.make_talent("Clara")
    consent = studio.make_consent(talent, ConsentStatus.REQUESTED)
    assert "No open invitation" in today(as_viewer)
    invitation = Invitation.objects.create(
        talent=talent, channel="mail", token_digest="a" * 64, created_by=studio.producer
    )
    invitation.consents.add(consent)
    assert "Not opened" in today(as_viewer)
    Invitation.objects.update(opened_at=timezone.now())
    assert ">Opened<" in today(as_viewer)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "No open invitation" in today(as_viewer)


def test_contracts_that_end_within_sixty_days(as_viewer: Client, studio: Studio) -> None:
    day = timezone.localdate()
    for name, days in (("Soon", 60), ("Later", 61), ("Today", 0), ("Gone", -1)):
        studio.make_contract(studio.make_talent(name), ends_on=day + timedelta(days=days))
    ending = as_viewer.get(reverse("today")).context["ending"]
    assert [(row.talent.name, row.days_left) for row in ending] == [("Today", 0), ("Soon", 60)]


def test_work_that_stopped_is_told_to_all_and_tried_again_by_admins(
    client: Client, as_viewer: Client, studio: Studio, admin: object
) -> None:
    build = studio.make_build(status="queued")
    task = Task.objects.create(
        kind="submit_build", object_id=str(build.pk), status=TaskStatus.FAILED, reason="The disk is full."
    )
    again = reverse("admin:voicehub_task_change", args=[task.pk])
    assert "The disk is full." in today(as_viewer)
    assert again not in today(as_viewer)
    client.force_login(admin)  # type: ignore[arg-type]
    assert again in today(client)


def test_all_work_has_words_for_people() -> None:
    assert set(outbox._handlers) <= set(dashboard_lists.TASK_LABELS)


def test_a_task_about_something_unreadable_does_not_break_the_page(as_viewer: Client, studio: Studio) -> None:
    studio.make_talent()
    Task.objects.create(kind="submit_build", object_id="not-a-uuid", status=TaskStatus.FAILED, reason="Lost.")
    assert "Lost." in today(as_viewer)


# --- Cost --------------------------------------------------------------------------------


def cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def fill(studio: Studio, count: int) -> None:
    """So many rows of every kind that Today knows."""
    for number in range(count):
        tag = f"{Talent.objects.count()}-{number}"
        Account.objects.create(name=tag, provider="resemble_v2", paused_at=timezone.now(), pause_reason="Why.")
        studio.make_consent(studio.make_talent(f"Review {tag}"), ConsentStatus.SUBMITTED)
        asked = studio.make_talent(f"Asked {tag}")
        Invitation.objects.create(
            talent=asked, channel="mail", token_digest=f"{tag:0>64}", created_by=studio.producer
        ).consents.add(studio.make_consent(asked, ConsentStatus.REQUESTED))
        studio.make_talent(f"New {tag}")
        studio.make_voice(f"Blocked {tag}", studio.make_talent(f"Blocked {tag}"))
        gone = studio.make_talent(f"Gone {tag}")
        studio.make_contract(gone, ends_on="2025-06-01")
        studio.make_consent(gone)
        studio.make_build(studio.make_voice(f"Gone {tag}", gone), status="ready")
        for status in ("training", "failed", "unconfirmed"):
            talent = studio.make_talent(f"{status} {tag}")
            studio.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=5))
            studio.make_consent(talent)
            built = studio.make_build(studio.make_voice(f"{status} {tag}", talent), status=status, lookup_attempts=1)
            RemoteVoice.objects.filter(pk=built.remote_voice_id).update(alert="Everybody can use it.")
            Task.objects.create(
                kind="submit_build", object_id=str(built.pk), status=TaskStatus.FAILED, reason="Stopped."
            )


def test_today_asks_as_often_for_many_rows_as_for_few(as_producer: Client, studio: Studio) -> None:
    fill(studio, 1)
    cost(as_producer, reverse("today"))
    few = cost(as_producer, reverse("today"))
    fill(studio, 4)
    assert cost(as_producer, reverse("today")) == few
    assert few < 33


def test_the_voice_page_asks_as_often_for_many_recordings_as_for_few(as_producer: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    studio.make_recordings(voice, 3)
    studio.make_build(voice, status="failed")
    cost(as_producer, voice.get_absolute_url())
    few = cost(as_producer, voice.get_absolute_url())
    studio.make_fileless_recordings(voice, 60)
    for _ in range(3):
        studio.make_build(voice, status="failed")
    assert cost(as_producer, voice.get_absolute_url()) == few


def test_accounts_cost_today_nothing(as_producer: Client, studio: Studio) -> None:
    studio.make_voice()
    cost(as_producer, reverse("today"))
    few = cost(as_producer, reverse("today"))
    for number, provider in enumerate(("resemble_v1", "audiostack", "speechgen", "voiceai", "audiostack")):
        Account.objects.create(name=f"More {number}", provider=provider)
    assert cost(as_producer, reverse("today")) == few


def test_the_build_page_asks_as_often_for_many_recordings_as_for_few(as_producer: Client, studio: Studio) -> None:
    small = studio.make_build(status="ready")
    few = cost(as_producer, small.get_absolute_url())
    studio.make_fileless_recordings(small.voice, 60)
    large = studio.make_build(small.voice, status="ready")
    assert cost(as_producer, large.get_absolute_url()) == few


def test_accounts_are_listed_at_one_price(client: Client, studio: Studio, admin: object) -> None:
    client.force_login(admin)  # type: ignore[arg-type]
    few = cost(client, reverse("voices:account_list"))
    for number in range(5):
        Account.objects.create(name=f"More {number}", provider="resemble_v2")
    assert cost(client, reverse("voices:account_list")) == few
