"""The rows of Today: voices at their best provider, failures until a person has seen them, and where each row leads."""

import random
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, ContractSuspension, Talent
from tests.voices.rows import PROVIDER, Studio
from tests.voices.views.test_dashboard import get_step, make_rows
from voicehub.models import User
from voices.build_options import list_build_options
from voices.models import Account, Build, RemoteFile, RemoteVoice, Voice
from voices.services.builds.nearest import find_nearest_targets
from voices.services.recordings.figures import update_figures
from voices.views import dashboard, next_steps
from voices.views.next_step import SEVERITIES, NextStep, sort_worst_first

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("reads_names")]
OTHERS = ("audiostack", "resemble_v1", "speechgen", "voiceai")


@pytest.fixture
def full_studio(studio: Studio) -> Studio:
    """A studio with an account at each of the five providers."""
    for provider in OTHERS:
        Account.objects.create(name=f"Account {provider}", provider=provider)
    return studio


def list_steps_of(voice: Voice) -> list[NextStep]:
    return [step for step in next_steps.list_steps() if step.subject == voice.name]


def read_hrefs(client: Client) -> set[str]:
    """The links of Today, on all pages of its next steps."""
    numbers = client.get(reverse("today")).context["step_page"].paginator.page_range
    pages = [client.get(reverse("today"), {"steps": number}).content.decode() for number in numbers]
    return {href for page in pages for href in re.findall(r'href="([^"]+)"', page)}


# --- The best provider -------------------------------------------------------------------


def test_voice_is_judged_at_the_provider_that_its_contract_allows(producer_client: Client, full_studio: Studio) -> None:
    voice = full_studio.make_voice("Nora")
    full_studio.make_recordings(voice)
    step = get_step(producer_client, "Nora")
    assert (step.status, step.severity) == ("Ready to build", "good")
    assert step.reasons == ("Ready to build at Resemble AI, rapid: nothing is missing.",)
    key = f"{full_studio.account.pk}-rapid"
    assert step.url == f"{voice.get_readiness_url()}?option={key}#option-{key}"
    page = producer_client.get(step.url).content.decode()
    assert page.count('<details class="option-more"') > 5
    assert re.findall(r'<details class="option-more" id="option-(\S+)" open>', page) == [key]


def test_each_voice_is_judged_by_its_own_contract(producer_client: Client, full_studio: Studio) -> None:
    full_studio.make_recordings(full_studio.make_voice("At v2"))
    talent = full_studio.make_talent("Vera")
    full_studio.make_contract(talent, providers=["voiceai"])
    full_studio.make_voice("At Voice.ai", talent)
    assert "at Resemble AI, rapid" in get_step(producer_client, "At v2").description
    step = get_step(producer_client, "At Voice.ai")
    assert step.description == "Vera, at Voice.ai"
    assert "has not been asked for consent to Voice.ai" in step.reasons[0]
    assert "purpose=narration" in step.url and "statement=voiceai" in step.url


def test_given_permission_is_nearer_than_fewer_recordings(producer_client: Client, full_studio: Studio) -> None:
    """Resemble AI v1 needs one recording and no minimum of speech, so that it would always have fewer gaps."""
    talent = full_studio.make_talent("Nils")
    full_studio.make_contract(talent, providers=["resemble_v1", "resemble_v2"])
    full_studio.make_voice("Quiet", talent)
    assert "Resemble AI v1" in get_step(producer_client, "Quiet").description
    consent = full_studio.make_consent(talent, ConsentStatus.REQUESTED)
    assert "Resemble AI, rapid" in get_step(producer_client, "Quiet").description
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.DECLINED)
    assert "Resemble AI v1" in get_step(producer_client, "Quiet").description
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.SUBMITTED)
    step = get_step(producer_client, "Quiet")
    assert "Resemble AI, rapid" in step.description
    assert step.url == f"{consent.get_absolute_url()}#review"


def test_contract_comes_before_the_first_request(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    studio.make_voice("Quiet", talent)
    step = get_step(producer_client, "Quiet")
    page = producer_client.get(step.url).content.decode()
    assert step.action == "Add contract"
    assert sorted(re.findall(r'value="(\w+)"[^>]* checked', page)) == ["narration", "resemble_v2"]
    studio.make_contract(talent)
    assert get_step(producer_client, "Quiet").action == "Request consent"


def test_missing_recordings_lead_to_the_upload(producer_client: Client, full_studio: Studio) -> None:
    voice = full_studio.make_voice("Quiet")
    step = get_step(producer_client, "Quiet")
    assert step.reasons[0] == "3 more recordings are needed."
    assert step.url == f"{voice.get_absolute_url()}#upload"


def test_contract_without_a_provider_with_an_account_says_so(
    client: Client, producer_client: Client, studio: Studio, admin: User
) -> None:
    voice = studio.make_voice("Nora")
    studio.make_recordings(voice)
    Contract.objects.update(providers=["audiostack", "voiceai"])
    step = get_step(producer_client, "Nora")
    assert (step.status, step.is_allowed, step.url) == ("No allowed provider", False, voice.get_absolute_url())
    assert step.reasons == (
        "The contract does not allow any provider at which the studio has an account.",
        "It allows only AudioStack and Voice.ai. Add an account there, or a contract that allows another provider.",
    )
    client.force_login(admin)
    step = get_step(client, "Nora")
    assert (step.action, step.url) == ("Add account", f"{reverse('voices:account_add')}?provider=audiostack")
    page = client.get(step.url).content.decode()
    assert re.search(r'value="audiostack" required checked', page)
    assert page.count(" checked") == 1


def test_contract_with_unknown_providers_leads_to_a_prefilled_contract(producer_client: Client, studio: Studio) -> None:
    studio.make_recordings(studio.make_voice("Nora"))
    Contract.objects.update(providers=["gone"])
    step = get_step(producer_client, "Nora")
    assert step.action == "Add contract"
    page = producer_client.get(step.url).content.decode()
    assert sorted(re.findall(r'value="(\w+)"[^>]* checked', page)) == ["narration", "resemble_v2"]


def test_paused_account_is_used_only_if_no_other_is_allowed(producer_client: Client, studio: Studio) -> None:
    voice = studio.make_voice("Nora")
    studio.make_recordings(voice)
    spare = Account.objects.create(name="Spare", provider="resemble_v2")
    Account.objects.filter(pk=studio.account.pk).update(paused_at=timezone.now(), pause_reason="The key is refused.")
    assert f"#option-{spare.pk}-rapid" in get_step(producer_client, "Nora").url
    spare.delete()
    step = get_step(producer_client, "Nora")
    assert step.reasons == ("The account Main is paused. The key is refused.",)
    assert (step.action, step.is_allowed) == ("Enter a new key", False), "an admin does it"


def test_voice_whose_last_failure_was_seen_is_judged_again(producer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="failed")
    assert [step.status for step in list_steps_of(build.voice)] == ["Build failed"]
    producer_client.post(reverse("voices:build_seen", args=[build.pk]))
    assert [step.status for step in list_steps_of(build.voice)] == ["Ready to build"]


def test_too_little_to_send_is_not_ready(producer_client: Client, full_studio: Studio) -> None:
    voice = full_studio.make_voice("Silent")
    full_studio.make_recordings(voice)
    full_studio.provider = "speechgen"
    full_studio.make_consent(voice.talent)
    Contract.objects.update(providers=["speechgen"])
    assert get_step(producer_client, "Silent").reasons == ("Ready to build at Speechgen: nothing is missing.",)
    voice.recordings.update(findings=[{"severity": "look", "code": "silent", "text": "", "advice": "", "at": None}])
    update_figures(voice.recordings.all())
    step = get_step(producer_client, "Silent")
    assert (step.status, step.url) == ("Recordings missing", f"{voice.get_absolute_url()}?show=look#recordings")
    assert step.reasons[0].startswith("Only 0 s can be sent")
    Contract.objects.update(providers=["speechgen", "resemble_v2"])
    step = get_step(producer_client, "Silent")
    assert (step.severity, step.status) == ("wait", "Ready, with doubts")
    assert step.reasons == ("Ready at Resemble AI, rapid, but some recordings would probably fail.",)


def test_today_and_the_page_of_a_voice_agree_on_the_nearest_target(full_studio: Studio) -> None:
    """For random contracts, consents and recordings. The page of a voice also shows what the contract forbids."""
    chance, voices = random.Random(20), []  # noqa: S311 - no secret
    for number in range(40):
        talent = full_studio.make_talent(f"Talent {number}")
        providers = chance.sample([PROVIDER, *OTHERS], chance.randrange(1, 6))
        full_studio.make_contract(talent, providers=providers)
        for full_studio.provider in chance.sample(providers, chance.randrange(len(providers) + 1)):
            full_studio.make_consent(talent, chance.choice(["requested", "submitted", "approved", "declined"]))
        voices.append(full_studio.make_voice(f"Voice {number}", talent))
        full_studio.make_fileless_recordings(voices[-1], chance.choice([0, 1, 4, 30]))
        voices[-1].recordings.update(transcript=chance.choice(["", "Words."]), seconds=chance.choice([0.5, 3.0, 40.0]))
    nearest, ranks = find_nearest_targets(voices), set()
    for voice in voices:
        allowed = set(voice.talent.contracts.get().providers)
        option = next(row for row in list_build_options(voice) if row.account.provider in allowed)
        target = nearest[voice.pk]
        assert (target.account, target.state.capabilities) == (option.account, option.readiness.capabilities), voice
        assert (target.distance, target.shortfall) == (option.sort_key, option.shortfall)
        ranks.add(target.distance.rank)
    assert len(ranks) > 1


# --- Failed builds -----------------------------------------------------------------------

FAILURES = ["dataset_issue", "consent_rejected", "failed"]


def make_build_at(studio: Studio, provider: str, voice: Voice, **fields: Any) -> Build:
    build = studio.make_build(voice, **fields)
    account, _created = Account.objects.get_or_create(provider=provider, defaults={"name": provider})
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(account=account)
    return build


@pytest.mark.parametrize("status", FAILURES)
def test_failed_build_stays_until_a_later_one_at_its_target_is_ready(studio: Studio, status: str) -> None:
    build = studio.make_build(status=status, issue="Why.")
    (step,) = list_steps_of(build.voice)
    assert (step.subject_url, step.reasons) == (build.get_absolute_url(), ("Why.",))
    make_build_at(studio, "voiceai", build.voice, status="ready")
    assert list_steps_of(build.voice) == [step]
    newer = studio.make_build(build.voice, status="training")
    assert list_steps_of(build.voice) == []
    Build.objects.filter(pk=newer.pk).update(status="cancelled", finished_at=timezone.now())
    assert list_steps_of(build.voice) == [step]
    Build.objects.filter(pk=newer.pk).update(status=status)
    assert [row.subject_url for row in list_steps_of(build.voice)] == [newer.get_absolute_url()]
    Build.objects.filter(pk=newer.pk).update(status="ready")
    assert list_steps_of(build.voice) == []


def test_failed_builds_of_one_voice_at_two_providers_have_two_rows(studio: Studio) -> None:
    build = studio.make_build(status="failed")
    other = make_build_at(studio, "voiceai", build.voice, status="dataset_issue")
    tier = studio.make_build(build.voice, status="failed")
    RemoteVoice.objects.filter(pk=tier.remote_voice_id).update(tier="pro")
    urls = {step.subject_url for step in list_steps_of(build.voice)}
    assert urls == {row.get_absolute_url() for row in (build, other, tier)}


def test_failed_build_leaves_today_when_a_producer_marks_it_as_seen(
    producer_client: Client, viewer_client: Client, studio: Studio, producer: User
) -> None:
    older = studio.make_build(status="failed")
    build = studio.make_build(older.voice, status="failed")
    url = reverse("voices:build_seen", args=[build.pk])
    assert f'action="{url}"' in producer_client.get(reverse("today")).content.decode()
    assert url not in viewer_client.get(reverse("today")).content.decode()
    assert url not in viewer_client.get(build.get_absolute_url()).content.decode()
    assert viewer_client.post(url).status_code == 403
    assert [step.status for step in list_steps_of(build.voice)] == ["Build failed"]
    response = producer_client.post(url, {"from": "today"}, follow=True)
    assert response.redirect_chain == [(reverse("today"), 302)]
    assert "no longer on Today" in response.content.decode()
    assert "Build failed" not in {step.status for step in list_steps_of(build.voice)}
    build.refresh_from_db()
    assert (build.seen_by, build.status) == (producer, "failed")
    page = viewer_client.get(build.get_absolute_url()).content.decode()
    assert f"Seen by {producer}," in page and "Show on Today again" not in page
    note = page[page.index('<section class="next next-bad"') :]
    before_the_parts = note[note.index("</section>") : note.index('class="build-index"')]
    assert "Seen by" in before_the_parts, "below the failure"
    older_page = producer_client.get(older.get_absolute_url()).content.decode()
    assert "Mark as seen" not in older_page, "the newer build stands for it"
    assert producer_client.post(url, {"seen": "no"}).headers["Location"] == build.get_absolute_url()
    assert [step.status for step in list_steps_of(build.voice)] == ["Build failed"]


def test_first_mark_as_seen_stays(producer_client: Client, studio: Studio, admin: User) -> None:
    seen_at = timezone.now() - timedelta(days=3)
    build = studio.make_build(status="failed", seen_at=seen_at, seen_by=admin)
    producer_client.post(reverse("voices:build_seen", args=[build.pk]))
    build.refresh_from_db()
    assert (build.seen_at, build.seen_by) == (seen_at, admin)


@pytest.mark.parametrize("status", ["queued", "training", "unconfirmed", "ready", "cancelled", "withdrawn"])
def test_build_that_has_not_failed_cannot_be_marked(producer_client: Client, studio: Studio, status: str) -> None:
    build = studio.make_build(status=status)
    response = producer_client.post(reverse("voices:build_seen", args=[build.pk]), follow=True)
    assert "Only a failed build can be marked as seen." in response.content.decode()
    build.refresh_from_db()
    assert build.seen_at is None
    assert 'id="seen"' not in response.content.decode()


def test_unclear_build_of_a_voice_with_a_newer_build_still_needs_an_answer(studio: Studio) -> None:
    build = studio.make_build(status="unconfirmed", lookup_attempts=1)
    make_build_at(studio, "voiceai", build.voice, status="ready")
    (step,) = list_steps_of(build.voice)
    assert (step.action, step.url, step.mark_url) == ("Answer", f"{build.get_absolute_url()}#unconfirmed", "")


def test_builds_that_do_not_fit_are_announced(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voices.views.build_steps.MAX_ROWS", 2)
    builds = [studio.make_build(status="failed") for _ in range(3)]
    rows = [step for step in next_steps.list_steps() if step.status == "Build failed"]
    assert [step.subject_url for step in rows] == [build.get_absolute_url() for build in builds[:2]] + [""]
    assert rows[2].subject == "More than 2 builds"


def test_voice_that_one_provider_may_no_longer_use_has_a_row_whatever_newer_builds_say(studio: Studio) -> None:
    build = studio.make_build(status="ready")
    newer = make_build_at(studio, "voiceai", build.voice, status="training")
    Contract.objects.update(providers=["voiceai", PROVIDER])
    studio.provider = "voiceai"
    Build.objects.filter(pk=newer.pk).update(consent=studio.make_consent(build.voice.talent))
    assert list_steps_of(build.voice) == []
    Consent.objects.filter(provider=PROVIDER).update(status=ConsentStatus.EXPIRED)
    (step,) = list_steps_of(build.voice)
    assert (step.status, step.description) == ("No longer allowed", "Tilda Strand, at Resemble AI")
    RemoteVoice.objects.filter(pk=build.remote_voice_id).update(deleted_at=timezone.now())
    assert list_steps_of(build.voice) == []


# --- Order and links ---------------------------------------------------------------------


def test_rows_come_worst_first_and_keep_their_order_otherwise(producer_client: Client, studio: Studio) -> None:
    make_rows(studio, 2)
    studio.make_recordings(studio.make_voice("Fine"))
    steps = producer_client.get(reverse("today")).context["steps"]
    ranks = [SEVERITIES.index(step.severity) for step in steps]
    assert ranks == sorted(ranks) and len(set(ranks)) > 2

    def make(subject: str, severity: str) -> NextStep:
        return NextStep(subject, "", severity, "", (), "", "")

    sources = [[make("a", "over"), make("b", "wait")], [make("c", "bad"), make("d", "wait"), make("e", "good")]]
    assert [step.subject for step in sort_worst_first(sources)] == ["c", "b", "d", "e", "a"]


def make_ended_voice(studio: Studio, number: int, **fields: Any) -> None:
    """A voice at a provider whose consent ended before an upgrade, with a file that is being deleted."""
    voice = studio.make_voice(f"Remote {number}")
    remote = studio.make_build(voice, status="ready").remote_voice
    ended = {"coverage_ended_on": timezone.localdate(), "deletion_needs_confirmation": True}
    RemoteVoice.objects.filter(pk=remote.pk).update(**fields, **ended)
    Consent.objects.filter(talent=voice.talent).update(status=ConsentStatus.EXPIRED)
    announced = {"announced_at": timezone.now(), "deletion_requested_at": timezone.now(), "remote_id": f"file{number}"}
    RemoteFile.objects.create(account=studio.account, remote_voice=remote, kind="recording", **announced)


def make_more_rows(studio: Studio) -> None:
    """One item of the kinds that `make_rows` does not make."""
    studio.make_recordings(studio.make_voice("Ready"))
    studio.make_voice("Without recordings")
    no_text = studio.make_voice("Without transcripts")
    studio.make_recordings(no_text, transcript="")
    for status in ("dataset_issue", "consent_rejected"):
        studio.make_build(status=status)
    flagged = studio.make_build(status="dataset_issue")
    flagged.recordings.update(is_silent=True, has_report=True)
    studio.make_build(status="training", raw_status="odd", has_unknown_status=True)
    changes: list[dict[str, Any]] = [{"alert": "Odd."}, {"file_alert": "Left."}, {"kept_at": timezone.now()}]
    for number, fields in enumerate(changes):
        make_ended_voice(studio, number, **fields)
    running = studio.make_build(studio.make_voice("Deleted"), status="ready").remote_voice
    RemoteVoice.objects.filter(pk=running.pk).update(deletion_requested_at=timezone.now())
    suspended = studio.make_build(studio.make_voice("Suspended"), status="ready")
    Consent.objects.filter(talent=suspended.voice.talent).update(status=ConsentStatus.SUSPENDED)
    held = studio.make_build(studio.make_voice("Contract suspended"), status="ready")
    contract = held.voice.talent.contracts.get()
    ContractSuspension.objects.create(contract=contract, reason="Dispute.", suspended_by=studio.producer)
    contract_ended = studio.make_build(studio.make_voice("Contract ended"), status="ready")
    contract_ended.voice.talent.contracts.update(ends_on="2025-06-01")
    Account.objects.create(
        name="Paused", provider="voiceai", paused_at=timezone.now(), pause_reason="Why.", paused_by=studio.producer
    )
    unconfirmed = studio.make_talent("Unconfirmed")
    studio.make_contract(unconfirmed, is_confirmed=False)
    studio.make_consent(unconfirmed)
    narrow = studio.make_voice("Narrow")
    narrow.talent.contracts.update(countries=["DE"])
    Voice.objects.filter(pk=narrow.pk).update(countries=["FR"])


@pytest.mark.parametrize("role", ["producer", "admin", "viewer"])
def test_every_row_leads_to_a_page_with_its_anchor(
    client: Client, studio: Studio, producer: User, admin: User, viewer: User, role: str
) -> None:
    make_rows(studio, 1)
    make_more_rows(studio)
    client.force_login({"producer": producer, "admin": admin, "viewer": viewer}[role])
    steps: list[NextStep] = client.get(reverse("today")).context["steps"]
    assert len({(step.status, step.action) for step in steps}) > 20
    for url in {link for step in steps for link in (step.url, step.subject_url) if link}:
        response = client.get(url)
        assert response.status_code == 200, url
        anchor = url.partition("#")[2]
        if role == "admin" and anchor:
            assert f'id="{anchor}"' in response.content.decode(), url
    hrefs = read_hrefs(client)
    assert {step.url.replace("&", "&amp;") for step in steps if step.url and step.is_allowed} <= hrefs


def test_every_row_of_a_producer_that_shows_a_button_has_its_anchor(producer_client: Client, studio: Studio) -> None:
    make_rows(studio, 1)
    make_more_rows(studio)
    steps: list[NextStep] = producer_client.get(reverse("today")).context["steps"]
    for step in steps:
        anchor = step.url.partition("#")[2]
        if step.is_allowed and anchor:
            assert f'id="{anchor}"' in producer_client.get(step.url).content.decode(), step


def test_rows_that_need_nobody_are_not_counted_as_waiting(producer_client: Client, studio: Studio) -> None:
    studio.make_build(status="failed")
    deleted = studio.make_build(status="ready")
    RemoteVoice.objects.filter(pk=deleted.remote_voice_id).update(deletion_requested_at=timezone.now())
    assert len(next_steps.list_steps()) == 2
    assert ">1 waiting, 1 in progress<" in " ".join(producer_client.get(reverse("today")).content.decode().split())


def test_review_leads_to_the_consent_and_not_to_the_talent(producer_client: Client, studio: Studio) -> None:
    talent = studio.make_talent("Nils")
    consents = [studio.make_consent(talent, ConsentStatus.SUBMITTED) for _ in range(2)]
    step = get_step(producer_client, "Nils")
    assert step.url == f"{consents[0].get_absolute_url()}#review"
    assert "Next: listen, then approve" in producer_client.get(step.url).content.decode()
    assert Talent.objects.get().get_absolute_url() not in (step.url, step.subject_url)


def read_steps(client: Client, page: int) -> str:
    text = client.get(reverse("today"), {"steps": page}).content.decode()
    return text.partition('class="today-steps"')[2].partition("</section>")[0]


def test_next_steps_have_pages(producer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "STEPS_PER_PAGE", 25)
    for number in range(30):
        Talent.objects.create(name=f"Talent {number}", created_by=studio.producer)
    first, second = read_steps(producer_client, 1), read_steps(producer_client, 2)
    assert "1 to 25 of 30" in first and "26 to 30 of 30" in second
    shown = [set(re.findall(r">(Talent \d+)</a>", page)) for page in (first, second)]
    assert [len(names) for names in shown] == [25, 5] and not shown[0] & shown[1]
    assert 'href="?steps=2#steps-title" rel="next">Next' in first
    assert '<a href="?steps=2#steps-title" aria-label="Page 2">2</a>' in first


def test_side_lists_have_pages(producer_client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "SIDE_ROWS_PER_PAGE", 2)
    for number in range(3):
        talent = studio.make_talent(f"Talent {number}")
        studio.make_consent(talent, ConsentStatus.REQUESTED)
        studio.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=number))
    context = producer_client.get(reverse("today"), {"answers": 2, "endings": 2}).context
    for name in ("pending_consents", "ending_contracts"):
        assert (context[name].number, len(context[name]), context[name].paginator.count) == (2, 1, 3)
    text = producer_client.get(reverse("today")).content.decode()
    assert 'href="?answers=2#answers-title" rel="next"' in text
    assert 'href="?endings=2#ending-title" rel="next"' in text


def test_today_of_a_studio_with_many_steps_is_small(producer_client: Client, studio: Studio) -> None:
    make_rows(studio, 16)
    response = producer_client.get(reverse("today"), {"all": 1})
    assert len(response.context["steps"]) > 150 and response.context["active_builds"].may_have_more
    assert [len(response.context[name]) for name in ("step_page", "pending_consents", "failed_tasks")] == [50, 6, 6]
    short = producer_client.get(reverse("today"))
    assert [len(short.context[name]) for name in ("step_page", "pending_consents")] == [8, 3]
    assert len(short.context["active_builds"].shown) == 3
    count = response.context["pending_consents"].paginator.count
    assert count > 3 and reverse("consent:open_requests") in short.content.decode(), "which lists them all"
    assert len(response.content) < 120_000, len(response.content)
