"""The five steps on the page of a talent, and its lists of several pages."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from consent.models import Consent, ConsentStatus, Purpose, Talent
from consent.services.contracts import suspend_contract
from consent.services.review import suspend_consent, withdraw_consent
from consent.talent_progress import Step
from tests.consent.rows import ConsentFactory, get_url, read_page
from tests.support.approval import approve_after_listening
from voices.services.recordings.store import create_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOT_YET = ("idle", "Not yet", "")


@pytest.fixture
def talent(factory: ConsentFactory) -> Talent:
    return factory.make_talent()


def read_steps(client: Client, talent: Talent) -> dict[str, Step]:
    response = client.get(talent.get_absolute_url())
    return {step.label: step for step in response.context["steps"]}


def read_states(client: Client, talent: Talent) -> list[tuple[str, str, str]]:
    """Tone, word and action of each step, from the contract to the voice."""
    return [(step.tone, step.status, step.action) for step in read_steps(client, talent).values()]


def test_new_talent_needs_a_contract_first(producer_client: Client, viewer_client: Client, talent: Talent) -> None:
    states = [("idle", "Missing", "Add contract"), ("idle", "Not yet", "Request consent"), *[NOT_YET] * 3]
    assert read_states(producer_client, talent) == states
    assert read_states(viewer_client, talent) == [("idle", "Missing", ""), *[NOT_YET] * 4]
    page = read_page(viewer_client, talent.get_absolute_url())
    assert page.count('<li class="is-idle"><span class="label">') == 5 and get_url("contract_add", talent) not in page


def test_steps_follow_a_consent_from_the_request_to_the_approval(
    producer_client: Client, viewer_client: Client, factory: ConsentFactory, talent: Talent
) -> None:
    contract, consent = factory.make_contract(talent), factory.make_consent(talent)
    steps = read_steps(producer_client, talent)
    assert (steps["Contract"].status, steps["Contract"].url) == ("In force", contract.get_absolute_url())
    recording = steps["Recording"]
    assert (recording.status, recording.url) == ("Waiting for talent", consent.get_absolute_url())
    assert recording.action == "Send link"
    factory.make_take(consent)
    review = read_steps(producer_client, talent)["Approval"]
    assert (review.tone, review.status, review.action) == ("new", "1 to review", "Review")
    assert review.url == f"{consent.get_absolute_url()}#review"
    assert read_steps(viewer_client, talent)["Approval"].action == ""
    suspend_contract(contract, factory.producer, "A dispute.")
    assert read_states(producer_client, talent)[0] == ("wait", "Suspended", "Resume contract")


def test_voice_can_be_added_once_contract_and_consent_are_in_force(
    producer_client: Client, factory: ConsentFactory, talent: Talent
) -> None:
    factory.make_contract(talent)
    consent = factory.make_submitted_consent(talent)
    assert read_states(producer_client, talent)[4] == NOT_YET
    approve_after_listening(consent, consent.takes.get(), factory.producer)
    assert read_states(producer_client, talent)[4] == ("idle", "Not yet", "Add voice")
    create_voice(talent, "Narrator", "en-US", consent.purpose, factory.producer)
    assert read_states(producer_client, talent)[4] == ("idle", "1 voice, not built", "")
    suspend_consent(consent, factory.producer, "A dispute.")
    assert read_states(producer_client, talent)[3] == ("wait", "Suspended", "")
    withdraw_consent(consent, factory.producer, "On the phone.")
    assert read_states(producer_client, talent)[3] == ("bad", "Withdrawn", "")


def test_furthest_consent_counts_and_voided_ones_do_not(
    producer_client: Client, factory: ConsentFactory, talent: Talent
) -> None:
    consent = factory.make_submitted_consent(talent)
    newer = factory.make_consent(talent, "advertising")
    assert read_steps(producer_client, talent)["Approval"].status == "1 to review"
    Consent.objects.filter(pk__in=[consent.pk, newer.pk]).update(status=ConsentStatus.VOIDED)
    assert read_states(producer_client, talent)[1] == ("idle", "Not yet", "Request consent")


def test_header_of_a_withdrawn_consent_says_by_whom(producer_client: Client, factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    approve_after_listening(consent, consent.takes.get(), factory.producer)
    withdraw_consent(consent, factory.producer, "On the phone.")
    page = read_page(producer_client, consent.get_absolute_url())
    assert f"<li>withdrawn by {factory.producer} for the talent" in page and "<li>approved by" not in page
    assert "<dt>Approved</dt>" in page, "the approval is among the facts"


def test_approved_consent_does_not_hide_one_that_waits_for_its_review(
    producer_client: Client, factory: ConsentFactory, talent: Talent
) -> None:
    factory.make_contract(talent)
    approved, waiting = factory.make_submitted_consent(talent), factory.make_submitted_consent(talent)
    approve_after_listening(approved, approved.takes.get(), factory.producer)
    step = read_steps(producer_client, talent)["Approval"]
    assert (step.tone, step.status, step.url) == ("new", "1 to review", f"{waiting.get_absolute_url()}#review")


# --- Long lists -----------------------------------------------------------------------------------


def read_pages(page: str) -> list[str]:
    """The links and the count of each list with several pages."""
    return re.findall(r'<nav class="vh-pages" aria-labelledby="[a-z-]+-title">(.*?)</nav>', page)


def test_lists_of_a_talent_have_pages(producer_client: Client, factory: ConsentFactory, talent: Talent) -> None:
    for number in range(12):
        factory.make_consent(talent)
        create_voice(talent, f"Voice {number:02}", "en-US", "narration", factory.producer)
    page = read_page(producer_client, talent.get_absolute_url())
    consents, voices = read_pages(page)
    assert "1 to 10 of 12" in consents and "1 to 10 of 12" in voices
    assert 'href="?consents=2#consents-title" rel="next">Next' in consents
    assert "<summary>6 more</summary>" in page, "folded on a phone"
    assert "English (US)" not in page.split(">Consents</h2>")[1].split(">Voices</h2>")[0], "all have the same language"
    assert "Voice 09" in page and "Voice 10" not in page
    page = read_page(producer_client, f"{talent.get_absolute_url()}?voices=2")
    assert "Voice 10" in page and "Voice 09" not in page and page.count("narration and audiobooks</a>") == 10
    consents, voices = read_pages(page)
    assert 'href="?voices=2&amp;consents=2#consents-title"' in consents and "11 to 12 of 12" in voices
    for odd in ("0", "x", "999"):
        assert read_page(producer_client, f"{talent.get_absolute_url()}?voices={odd}&consents={odd}")


def test_takes_and_links_of_a_consent_have_pages(producer_client: Client, factory: ConsentFactory) -> None:
    consent = factory.make_submitted_consent()
    for _ in range(11):
        factory.make_link(consent)
    take = consent.takes.get()
    for number in range(11):
        take.pk, take.sha256, take.acceptable, take._state.adding = uuid4(), f"{number:064}", False, True
        take.save(force_insert=True)
    page = read_page(producer_client, consent.get_absolute_url())
    assert [re.sub("<[^>]*>", "", links).split("Next")[-1].strip() for links in read_pages(page)] == [
        "1 to 10 of 11",
        "1 to 10 of 11",
    ]
    assert 'id="review"' in page
    page = read_page(producer_client, f"{consent.get_absolute_url()}?takes=2&links=2")
    assert page.count("11 to 11 of 11") == 2 and 'id="review"' in page


def test_equal_events_of_a_day_are_one_entry_although_others_stand_between(
    producer_client: Client, factory: ConsentFactory, talent: Talent
) -> None:
    for purpose in ("narration", "advertising"):
        suspend_consent(factory.make_approved_consent(talent, purpose), factory.producer, "A dispute.")
    activity = producer_client.get(talent.get_absolute_url()).context["activity"]
    suspended = [entry for entry in activity if entry.reason == "A dispute."]
    assert [entry.subject for entry in suspended] == ["for 2 consents"]
    assert len([entry for entry in activity if "approved the recording" in entry.text]) == 1


def test_contract_for_every_purpose_says_so(factory: ConsentFactory, producer_client: Client, talent: Talent) -> None:
    factory.make_contract(talent, purposes=["narration", "advertising"])
    assert "Narration and audiobooks, advertising" in read_page(producer_client, get_url("talent", talent))
    factory.make_contract(talent, purposes=Purpose.values)
    assert "All purposes" in read_page(producer_client, get_url("talent", talent))
