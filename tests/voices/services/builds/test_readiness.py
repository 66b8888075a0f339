"""Where a voice can be built: what each row says, what it offers, what would be sent, at what price."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Statement
from providers import registry
from providers.types import Handover
from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.build_options import BuildOption, Rank, join_words, list_build_options
from voices.models import Account, Build, RecordingStatus, RemoteVoice, Voice
from voices.models.limits import get_all_limits, get_limits
from voices.services.builds.readiness import check_readiness, check_readiness_everywhere
from voices.services.builds.start import BuildRefused, cancel_build, start_build

pytestmark = pytest.mark.django_db
FIVE = ("resemble_v2", "resemble_v1", "audiostack", "speechgen", "voiceai")
SILENT = {"severity": "look", "code": "silent", "text": "Nothing is heard.", "advice": "Leave it out.", "at": None}


def account(provider: str, **fields: Any) -> Account:
    made = Account(name=f"At {provider}", provider=provider, mode="sandbox", **fields)
    made.set_key("a-key-of-the-sandbox")
    made.save(force_insert=True)
    return made


@pytest.fixture
def five(studio: Studio) -> Studio:
    """A studio with an account at each provider, the first of which it has already."""
    for provider in FIVE[1:]:
        account(provider)
    return studio


def allowed_everywhere(studio: Studio) -> Voice:
    """A voice whose contract and consents allow every provider."""
    voice = studio.make_voice()
    Contract.objects.update(providers=list(FIVE))
    given = Consent.objects.get()
    for provider in FIVE[1:]:
        given.pk, given.provider = uuid.uuid4(), provider
        given.save(force_insert=True)
    return voice


def place(voice: Voice, provider: str, tier: str = "rapid") -> BuildOption:
    (found,) = [
        one
        for one in list_build_options(voice)
        if (one.account.provider, one.readiness.capabilities.tier) == (provider, tier)
    ]
    return found


def page(client: Client, voice: Voice) -> str:
    return " ".join(client.get(voice.get_absolute_url()).content.decode().split())


def row(text: str, one: BuildOption) -> str:
    """The part of the page that is one row."""
    return text.partition(f'id="option-{one.key}"')[2].partition('</li><li class="option-row"')[0]


# --- what a row says ----------------------------------------------------------------------


def test_the_ready_ones_come_first_and_a_paused_one_last(as_producer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice)
    Account.objects.filter(provider="voiceai").update(paused_at=timezone.now(), pause_reason="The key was refused.")
    found = list_build_options(voice)
    assert [one.rank for one in found] == sorted(one.rank for one in found)
    assert {one.name for one in found if one.is_ready} == {
        "Resemble AI, rapid", "Resemble AI v1", "AudioStack, instant", "Speechgen",
    }  # fmt: skip
    assert [one.name for one in found][-1] == "Voice.ai"
    text = page(as_producer, voice)
    assert "<strong>Voice.ai:</strong> paused. The key was refused." in text
    paused = row(text, found[-1])
    assert reverse("voices:account", args=[found[-1].account.pk]) in paused and "Start clone build" not in paused


@pytest.mark.parametrize(
    ("provider", "tier", "words"),
    [
        ("resemble_v2", "rapid", "ready. These 3 recordings will be sent, 12 s of speech."),
        ("resemble_v2", "professional", "17 recordings and 9 min 48 s of speech missing."),
        ("resemble_v1", "professional", "ready. These 3 recordings will be sent, 12 s of speech."),
        ("audiostack", "rapid", "ready. These 3 recordings will be sent, 12 s of speech."),
        ("audiostack", "professional", "19 min 48 s of speech missing."),
        ("speechgen", "rapid", "ready. One file of 13 s will be sent, made of these 3 recordings."),
        ("voiceai", "rapid", "ready. One file of 13 s will be sent, made of these 3 recordings."),
    ],
)
def test_each_row_is_one_sentence(as_viewer: Client, five: Studio, provider: str, tier: str, words: str) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice)
    one = place(voice, provider, tier)
    assert one.summary == words
    assert f"<strong>{one.name}:</strong> {words}" in page(as_viewer, voice)


def test_what_the_gate_wants_is_named(five: Studio) -> None:
    talent = five.make_talent()
    voice = five.make_voice(talent=talent)
    five.make_recordings(voice)
    assert place(voice, "speechgen").summary == "the consent and the contract missing."
    five.make_contract(talent, providers=list(FIVE))
    assert place(voice, "speechgen").summary == "only the consent is missing."
    assert place(voice, "audiostack", "professional").summary == "the consent and 19 min 48 s of speech missing."
    five.make_consent(talent)
    assert place(voice, "resemble_v2").is_ready
    Consent.objects.update(status=ConsentStatus.SUSPENDED)
    assert place(voice, "resemble_v2").summary == "only the consent is missing."
    assert not place(voice, "resemble_v2").is_only_consent_missing, "it was asked for, and is looked at instead"


def test_what_is_wrong_with_recordings_is_said_where_nothing_is_missing(five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice, transcript="")
    assert place(voice, "resemble_v2").summary == "transcripts missing."
    assert place(voice, "speechgen").is_ready, "it takes no transcripts"
    voice.recordings.update(transcript="Words.", seconds=25.0)
    assert "ready" in place(voice, "resemble_v1", "professional").summary, "one long WAV may have any length"
    voice.recordings.update(seconds=70.0)
    assert place(voice, "resemble_v2").summary.endswith("some recordings are too short or too long.")


def test_a_build_on_its_way_is_said_and_led_to(as_viewer: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    one = place(build.voice, "resemble_v2")
    assert (one.rank, one.summary) == (Rank.BUILDING, "a build is in progress.")
    text = row(page(as_viewer, build.voice), one)
    assert build.get_absolute_url() in text and "Start rapid build" not in text


def test_the_price_is_in_the_row(as_producer: Client, five: Studio) -> None:
    text = page(as_producer, five.make_voice())
    assert "sandbox, free; live cost: 300 credits on success" in text
    assert "sandbox, free; live cost: 1,200 credits on success" in text
    Account.objects.update(mode="live")
    assert "At audiostack · cost: 300 credits on success" in page(as_producer, Voice.objects.get())


@pytest.mark.parametrize(
    ("parts", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_is_read_as_one(parts: list[str], words: str) -> None:
    assert join_words(parts) == words


# --- what it offers -----------------------------------------------------------------------


def test_only_ways_that_lack_nothing_are_offered(as_producer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice)

    def offered() -> list[str]:
        return [value for value, _words in place(voice, "resemble_v1", "professional").handovers]

    assert offered() == ["signed_put_texts", "signed_put_clips", "signed_put_wav"]
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(transcript="")
    assert offered() == ["signed_put_clips", "signed_put_wav"]
    voice.recordings.update(seconds=25.0)
    assert offered() == ["signed_put_wav"]
    text = row(page(as_producer, voice), place(voice, "resemble_v1", "professional"))
    assert '<input type="hidden" name="handover" value="signed_put_wav">' in text and "Start professional build" in text


def test_every_way_that_is_offered_starts_a_build(as_producer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice)
    started = []
    for one in [one for one in list_build_options(voice) if one.is_ready]:
        for handover, _words in one.handovers:
            sent = {"account": one.account.pk, "tier": one.readiness.capabilities.tier, "handover": handover}
            as_producer.post(reverse("voices:build_start", args=[voice.pk]), sent)
            build = Build.objects.get(status="queued")
            assert (build.handover, build.recordings.count()) == (handover, len(one.clip_selection.rows))
            cancel_build(build, five.producer)
            started.append(handover)
    assert sorted(set(started)) == sorted(Handover), "and no way of handing over is left out"


def test_a_voice_that_was_given_a_dataset_is_offered_no_single_recordings(five: Studio) -> None:
    build = five.make_build(status="ready", handover="dataset_url")
    assert [way for way, _words in place(build.voice, "resemble_v2").handovers] == ["dataset_url"]
    RemoteVoice.objects.update(retired_at=timezone.now())
    assert [way for way, _words in place(build.voice, "resemble_v2").handovers] == ["recordings", "dataset_url"]


def test_a_lone_missing_consent_is_one_click_away(as_producer: Client, as_viewer: Client, five: Studio) -> None:
    voice = five.make_voice()
    Contract.objects.update(providers=list(FIVE))
    five.make_recordings(voice)
    one = place(voice, "voiceai")
    assert (
        one.is_only_consent_missing
        and "statement=voiceai%3Aen-US" in one.consent_url
        and "purpose=narration" in one.consent_url
    )
    text = page(as_producer, voice)
    assert f'where-act" href="{one.consent_url.replace("&", "&amp;")}"' in text
    form = read_html(as_producer.get(one.consent_url))
    assert '<option value="voiceai:en-US" selected>' in form
    assert "where-act" not in page(as_viewer, voice)
    assert not place(voice, "audiostack", "professional").is_only_consent_missing, "minutes are missing too"
    Contract.objects.update(providers=["resemble_v2"])
    assert not place(voice, "voiceai").is_only_consent_missing


def test_the_statement_is_asked_for_in_the_voices_language(five: Studio) -> None:
    voice = five.make_voice()
    Voice.objects.update(language="en-GB")
    voice.refresh_from_db()
    assert "statement=voiceai%3Aen-US" in place(voice, "voiceai").consent_url, "the same tongue at least"
    Statement.objects.filter(provider="voiceai").update(retired=True)
    assert "statement" not in place(voice, "voiceai").consent_url


# --- what would be sent -------------------------------------------------------------------


def test_the_best_are_sent_and_the_others_named_with_why(as_viewer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    clips = five.make_recordings(voice, 5)
    voice.recordings.update(seconds=20.0, levels={"snr_db": 40.0}, findings=[])
    voice.recordings.filter(pk=clips[0].pk).update(levels={"snr_db": 12.0})
    voice.recordings.filter(pk=clips[1].pk).update(findings=[SILENT])
    one = place(voice, "voiceai")
    assert one.summary == "ready. One file of 40 s will be sent, made of the best 2 of 5 recordings."
    left = {found.name: found.reason for found in one.excluded_recordings}
    assert left[clips[1].file_name] == "no speech detected"
    assert left[clips[0].file_name] == "the limit is reached with better recordings"
    text = row(page(as_viewer, voice), one)
    assert "3 left out" in text and all(clip.file_name in text for clip in clips)
    build = start_build(voice, one.account, "rapid", "one_file", five.producer)
    assert {str(row.recording_id) for row in build.recordings.all()} == {str(row.id) for row in one.clip_selection.rows}


def test_lengths_that_a_provider_does_not_take_are_named(five: Studio) -> None:
    voice = allowed_everywhere(five)
    short, *_others = five.make_recordings(voice, 3)
    voice.recordings.filter(pk=short.pk).update(seconds=1.2)
    assert place(voice, "audiostack").excluded_recordings == [(short.file_name, "too short for this provider")]


def test_what_cannot_be_sent_makes_nothing_ready(as_producer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice, 3)
    voice.recordings.update(findings=[SILENT])
    one = place(voice, "speechgen")
    assert (one.is_ready, one.summary) == (False, "too few of the recordings can be sent.")
    assert "Only 0 s can be sent" in row(page(as_producer, voice), one)
    with pytest.raises(BuildRefused, match="Only 0 s can be sent"):
        start_build(voice, one.account, "rapid", "one_file", five.producer)


# --- the numbers behind it ----------------------------------------------------------------


def test_one_question_for_all_gives_what_one_for_each_gives(five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice, 3)
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(seconds=15.0, transcript="x" * 1500)
    found = check_readiness_everywhere(voice)
    assert len(found) == sum(len(provider.tiers) for provider in registry.list_providers())
    for account, state in found:
        assert check_readiness(voice, account, state.capabilities.tier) == state


def test_what_is_only_recommended_is_advice(five: Studio) -> None:
    voice = five.make_voice()
    five.make_recordings(voice)
    one = place(voice, "resemble_v1", "professional").readiness
    assert (one.needed_count, one.gaps) == (1, ())
    assert "47 more recordings would make it better." in [advice.text for advice in one.advice]


def test_other_languages_are_advised_more_speech(five: Studio) -> None:
    voice = five.make_voice()
    five.make_recordings(voice)

    def advice(tier: str) -> str:
        return " ".join(one.text for one in place(voice, "audiostack", tier).readiness.advice)

    assert "Another 1 min 48 s" in advice("rapid") and "Another" not in advice("professional")
    Voice.objects.update(language="pl-PL")
    voice.refresh_from_db()
    assert "Another 44 min 48 s" in advice("professional")


def test_neither_accounts_nor_recordings_cost_more_questions(as_producer: Client, five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice)
    path = reverse("voices:readiness", args=[voice.pk])

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert as_producer.get(path).status_code == 200
        return len(asked)

    cost()
    before = cost()
    for number, provider in enumerate(FIVE):
        Account.objects.create(name=f"More {number}", provider=provider)
    five.make_fileless_recordings(voice, 60)
    assert cost() == before


def test_limits_of_one_are_those_of_all() -> None:
    for (provider, tier), limits in get_all_limits().items():
        assert limits == get_limits(registry.get_provider_class(provider).tiers[tier], provider)


def test_what_cannot_be_used_is_not_counted(five: Studio) -> None:
    voice = allowed_everywhere(five)
    five.make_recordings(voice, 4)
    voice.recordings.filter(pk=voice.recordings.all()[0].pk).update(status=RecordingStatus.REFUSED)
    assert len(place(voice, "audiostack").clip_selection.rows) == 3


# --- moving -------------------------------------------------------------------------------


def test_the_rows_come_anew_and_can_be_told_apart(as_viewer: Client, five: Studio) -> None:
    voice = five.make_voice()
    text = read_html(as_viewer.get(reverse("voices:readiness", args=[voice.pk])))
    assert 'hx-trigger="readiness-changed from:body, recordings-changed from:body"' in text
    keys = [f'id="option-{one.key}"' for one in list_build_options(voice)]
    assert len(set(keys)) == 7 and all(text.count(key) == 1 for key in keys)
    assert '" open>' not in text, "several rows are closed at first"


def test_one_place_alone_is_open_and_none_says_what_to_do(as_viewer: Client, as_admin: Client, studio: Studio) -> None:
    voice = studio.make_voice()
    Account.objects.update(provider="voiceai")
    assert '" open>' in page(as_viewer, voice)
    Account.objects.all().delete()
    assert "once an admin of the studio has added an account" in page(as_viewer, voice)
    assert reverse("voices:account_add") in page(as_admin, voice)


def test_language_that_a_provider_does_not_speak_is_said_before_anything_is_sent(
    five: Studio, as_producer: Client
) -> None:
    voice = allowed_everywhere(five)
    Voice.objects.update(language="ja-JP")
    voice.refresh_from_db()
    there = place(voice, "voiceai")
    assert not there.is_ready and "the provider does not support this language" in there.summary
    with pytest.raises(BuildRefused, match="no voices in this language"):
        start_build(voice, there.account, "rapid", Handover.ONE_FILE, five.producer)
    assert "the provider does not support this language" not in place(voice, "speechgen").summary
    assert 'href=""' not in page(as_producer, voice)
