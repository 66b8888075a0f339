"""The question about the voice comparison: its words are data, its answers are stored, and it is never a condition."""

import pytest
from django.test import Client

from audio.networks import speaker_encoder, speaker_match
from consent.models import ComparisonAnswer, Consent, EventKind, Take, TakeCheck
from consent.models.evidence import EvidenceIsImmutable
from consent.services import voice_comparison
from consent.services.approval import find_objections
from consent.services.audit_log import find_first_broken_event
from consent.services.voice_comparison import build_question, find_answer, is_comparison_allowed, record_answer
from tests.consent.rows import ConsentFactory, get_guest_url, get_invitation, get_url, read_page
from tests.support.approval import approve_after_listening
from voicehub.json_fields import hash_json
from voicehub.models import User
from voicehub.text import format_date

pytestmark = pytest.mark.django_db


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


def list_kinds(consent: Consent) -> list[str]:
    events = consent.events.filter(kind__startswith="comparison").order_by("sequence")
    return [event.kind for event in events]


def post_answer(client: Client, consent: Consent, **fields: str) -> str:
    fields = {"words": build_question(consent.talent).sha256, **fields}
    url = get_guest_url("home", consent)
    response = client.post(f"{url}voice-comparison/", fields)
    assert response.status_code == 302, response.content
    assert response.headers["Location"] == f"{url}#voice-comparison"
    return read_page(client, url)


def test_words_name_what_is_computed_and_how_long_it_lives(consent: Consent) -> None:
    question = build_question(consent.talent)
    text = " ".join(question.paragraphs)
    assert f"{speaker_encoder.SIZE} numbers, from up to {speaker_match.MAX_VOICED_SECONDS:g} seconds" in text
    for words in ("other recordings", "earlier recordings", "never compared with that of other people", "biometric"):
        assert words in text
    assert "only in the memory" in text and "when that task ends" in text and "never stored" in text
    assert "Your consent does not depend on it" in text
    assert question.sha256 == hash_json(question.content)


def test_page_asks_with_a_tick_that_is_not_set_before(factory: ConsentFactory, consent: Consent) -> None:
    page = read_page(factory.open_link(consent), get_guest_url("home", consent))
    question = build_question(consent.talent)
    assert all(paragraph in page for paragraph in question.paragraphs) and question.question in page
    (tick,) = [part for part in page.split("<input")[1:] if 'name="is_allowed"' in part]
    assert "checked" not in tick.split(">")[0]
    assert "Without a tick, your voice is not compared." in page


def test_answers_are_stored_with_their_words_link_and_events(factory: ConsentFactory, consent: Consent) -> None:
    other = factory.make_consent(consent.talent, "advertising")
    client = factory.open_link(consent)
    page = post_answer(client, consent, is_allowed="yes")
    assert "Saved: you allow the voice comparison." in page and "checked" in page
    assert is_comparison_allowed(consent.talent_id)
    yes = ComparisonAnswer.objects.get()
    question = build_question(consent.talent)
    assert (yes.is_allowed, yes.sha256, yes.content, yes.version) == (True, question.sha256, question.content, 1)
    assert yes.invitation == get_invitation(consent) and yes.recorded_by is None
    page = post_answer(client, consent)
    assert "your voice is not compared" in page
    assert not is_comparison_allowed(consent.talent_id)
    for each in (consent, other):
        assert list_kinds(each) == [EventKind.COMPARISON_ALLOWED, EventKind.COMPARISON_ENDED]
        assert find_first_broken_event(each) is None
    payload = consent.events.get(kind=EventKind.COMPARISON_ALLOWED).payload
    assert payload["words"] == yes.sha256 and payload["invitation"] == str(yes.invitation_id)
    with pytest.raises(EvidenceIsImmutable):
        yes.save()


def test_first_no_is_recorded_and_the_same_answer_is_not_repeated(factory: ConsentFactory, consent: Consent) -> None:
    client = factory.open_link(consent)
    post_answer(client, consent)
    post_answer(client, consent)
    assert list_kinds(consent) == [EventKind.COMPARISON_REFUSED]
    assert ComparisonAnswer.objects.count() == 1
    post_answer(client, consent, is_allowed="yes")
    answer = find_answer(consent.talent)
    assert answer and (answer.number, answer.is_allowed) == (2, True)


def test_answer_to_other_words_is_not_stored(factory: ConsentFactory, consent: Consent) -> None:
    page = post_answer(factory.open_link(consent), consent, words="0" * 64, is_allowed="yes")
    assert "has changed" in page and not ComparisonAnswer.objects.exists()


def test_answer_needs_the_link_of_the_talent(factory: ConsentFactory, consent: Consent, client: Client) -> None:
    factory.make_link(consent)
    url = f"{get_guest_url('home', consent)}voice-comparison/"
    words = build_question(consent.talent).sha256
    assert client.post(url, {"words": words, "is_allowed": "yes"}).status_code == 404
    assert not ComparisonAnswer.objects.exists()


def test_answer_in_the_browser_of_staff_is_labeled(factory: ConsentFactory, consent: Consent, producer: User) -> None:
    client = factory.open_link(consent)
    client.force_login(producer)
    post_answer(client, consent, is_allowed="yes")
    assert ComparisonAnswer.objects.get().recorded_by == producer
    assert consent.events.get(kind=EventKind.COMPARISON_ALLOWED).actor == producer


def test_staff_record_an_answer_with_a_reason(consent: Consent, engineer_client: Client) -> None:
    talent, url = consent.talent, get_url("comparison_answer", consent.talent)
    page = read_page(engineer_client, talent.get_absolute_url())
    assert "Not answered" in page and build_question(talent).paragraphs[0] in page
    fields = {"words": build_question(talent).sha256, "is_allowed": "yes"}
    for wrong in ({"reason": " "}, {"reason": "On paper.", "is_allowed": ""}, {"reason": "On paper.", "words": "0"}):
        engineer_client.post(url, {**fields, **wrong})
        assert not ComparisonAnswer.objects.exists(), wrong
    engineer_client.post(url, {**fields, "reason": "On paper."})
    answer = ComparisonAnswer.objects.get()
    assert answer.is_allowed and answer.reason == "On paper." and answer.invitation is None
    event = consent.events.get(kind=EventKind.COMPARISON_ALLOWED)
    assert event.actor == answer.recorded_by and event.payload["reason"] == "On paper."
    assert "On paper." in read_page(engineer_client, talent.get_absolute_url())


@pytest.mark.parametrize(
    ("is_allowed", "kind", "words"),
    [
        (True, EventKind.COMPARISON_ALLOWED, "allowed the voice comparison on behalf of the talent on"),
        (False, EventKind.COMPARISON_REFUSED, "did not allow the voice comparison on behalf of the talent on"),
    ],
)
def test_answer_before_the_first_request_is_in_its_audit_log(
    factory: ConsentFactory, producer_client: Client, is_allowed: bool, kind: EventKind, words: str
) -> None:
    talent = factory.make_talent()
    record_answer(
        talent, build_question(talent), is_allowed=is_allowed, by=factory.producer, reason="On paper, before."
    )
    answer = ComparisonAnswer.objects.get()
    consent = factory.make_consent(talent)
    assert list_kinds(consent) == [kind]
    event = consent.events.get(kind=kind)
    assert event.sequence > consent.events.get(kind=EventKind.REQUESTED).sequence
    assert event.actor == factory.producer
    assert event.payload == {
        "answer": 1, "version": 1, "words": answer.sha256, "reason": "On paper, before.",
        "given_at": answer.created_at.isoformat(),
    }  # fmt: skip
    assert find_first_broken_event(consent) is None
    page = read_page(producer_client, consent.get_absolute_url())
    assert f"{factory.producer} {words} {format_date(answer.created_at)}, before this request." in page
    assert "On paper, before." in page


def test_request_after_answers_records_the_one_that_counts(factory: ConsentFactory, consent: Consent) -> None:
    client = factory.open_link(consent)
    post_answer(client, consent, is_allowed="yes")
    post_answer(client, consent)
    later = factory.make_consent(consent.talent, "advertising")
    assert list_kinds(later) == [EventKind.COMPARISON_REFUSED]
    event = later.events.get(kind=EventKind.COMPARISON_REFUSED)
    assert event.actor is None and event.payload["answer"] == 2
    assert event.payload["invitation"] == str(get_invitation(consent).pk)
    post_answer(client, consent, is_allowed="yes")
    for each in (consent, later):
        newest = each.events.order_by("sequence").last()
        assert newest and newest.kind == EventKind.COMPARISON_ALLOWED and "given_at" not in newest.payload
    assert list_kinds(factory.make_consent(factory.make_talent("Other", "other@people.test"))) == []


def test_answer_and_its_entries_are_stored_together_or_not_at_all(
    factory: ConsentFactory, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(voice_comparison, "record_event", fail)
    with pytest.raises(OSError):
        record_answer(consent.talent, build_question(consent.talent), is_allowed=True)
    assert not ComparisonAnswer.objects.exists() and list_kinds(consent) == []
    monkeypatch.undo()
    record_answer(consent.talent, build_question(consent.talent), is_allowed=True)
    monkeypatch.setattr(voice_comparison, "record_event", fail)
    with pytest.raises(OSError):
        factory.make_consent(consent.talent, "advertising")
    assert Consent.objects.count() == 1, "no request without the entry of the answer"


def test_take_is_approved_without_a_comparison_as_with_one(factory: ConsentFactory, producer: User) -> None:
    consent = factory.make_submitted_consent()
    take = Take.objects.get(consent=consent)
    check = TakeCheck.objects.get(take=take)
    TakeCheck.objects.filter(pk=check.pk).update(
        statement={"verdict": "accept", "match": 1.0}, speaker={"verdict": "different"}, checked_at=take.created_at
    )
    assert find_objections(Take.objects.get()) == ("the voice sounds like a different person",)
    record_answer(consent.talent, build_question(consent.talent), is_allowed=False)
    assert find_objections(Take.objects.get()) == ()
    approve_after_listening(consent, Take.objects.get(), producer)
