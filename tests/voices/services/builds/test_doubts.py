"""An option without recordings that would probably fail comes before one with them, on every page in the same words."""

import random
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audio.findings.findings import make_finding
from tests.voices.rows import Studio
from voicehub.models import ThresholdOverride
from voices.build_options import list_build_options
from voices.models import Account, BuildRecording, BuildStatus, LimitOverride, Recording, Voice
from voices.models.limits import get_all_limits
from voices.services.builds.nearest import Rank, find_nearest_target, find_nearest_targets
from voices.services.builds.sending_check import load_sending_check
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import set_active

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PROVIDERS = ("audiostack", "resemble_v1", "resemble_v2", "speechgen", "voiceai")
OTHER_SPEAKER = make_finding("other_speaker", score=0.1, limit=0.4).as_dict()
PAGES = ("today", "voices:voice_list", "consent:talent_list")


@pytest.fixture
def full_studio(studio: Studio) -> Studio:
    """A studio with an account at each of the five providers."""
    for provider in PROVIDERS:
        if provider != studio.provider:
            Account.objects.create(name=f"Account {provider}", provider=provider)
    return studio


def make_allowed_voice(studio: Studio, name: str, providers: tuple[str, ...] = PROVIDERS) -> Voice:
    talent = studio.make_talent(f"Talent of {name}")
    studio.make_contract(talent, providers=list(PROVIDERS))
    for studio.provider in providers:
        studio.make_consent(talent)
    return studio.make_voice(name, talent)


def add_doubt(voice: Voice) -> None:
    """A person puts a recording of another speaker into builds."""
    recording = voice.recordings.order_by("file_name")[0]
    rows = Recording.objects.filter(pk=recording.pk)
    rows.update(set_findings=[OTHER_SPEAKER])
    update_figures(rows)
    set_active(recording, True)


def read_text(client: Client, url: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", client.get(url).content.decode()).split())


def test_every_page_says_ready_with_doubts_in_the_same_words(producer_client: Client, studio: Studio) -> None:
    voice = make_allowed_voice(studio, "Nora", ("resemble_v2",))
    studio.make_recordings(voice, 4)
    urls = [reverse("today"), reverse("voices:voice_list"), voice.get_readiness_url(), voice.get_builds_url()]
    for url in urls[:-1]:
        assert "Ready to build" in read_text(producer_client, url), url
    add_doubt(voice)
    for url in urls[:-1]:
        page = read_text(producer_client, url)
        assert "Ready, with doubts" in page and "Ready to build" not in page, url
    studio.make_build(voice, BuildStatus.READY)
    page = read_text(producer_client, urls[-1])
    assert "Ready, with doubts" in page and "Ready to build" not in page
    assert "Ready, with doubts" in read_text(producer_client, urls[1]), "also where it could be built again"


def test_option_without_doubts_is_the_next_build(producer_client: Client, full_studio: Studio) -> None:
    voice = make_allowed_voice(full_studio, "Nora", ("audiostack", "speechgen"))
    full_studio.make_recordings(voice, 4)
    assert [option.name for option in list_build_options(voice)][:2] == ["AudioStack, instant", "Speechgen"]
    add_doubt(voice)
    voice.recordings.filter(active_by="person").update(selection_quality=0.01)
    limit = {"source": "Test.", "value": 13.5}
    LimitOverride.objects.create(provider="speechgen", tier="rapid", limit="most_seconds", **limit)
    account = Account.objects.get(provider="speechgen")  # takes only the best three
    first, second = list_build_options(voice)[:2]
    assert (first.account, first.rank, second.rank) == (account, Rank.READY, Rank.READY_WITH_DOUBTS)
    assert find_nearest_targets([voice])[voice.pk].account == account
    assert "Next: start build Speechgen is ready to build." in read_text(producer_client, voice.get_readiness_url())


def test_next_build_is_not_one_that_is_in_progress(producer_client: Client, studio: Studio) -> None:
    voice = make_allowed_voice(studio, "Nora", ("resemble_v2",))
    studio.make_recordings(voice, 4)
    studio.make_build(voice, BuildStatus.TRAINING)
    page = read_text(producer_client, voice.get_builds_url())
    assert "Ready to build" not in page and "Recordings missing" not in page
    target = find_nearest_target(voice)
    assert target and target.distance == list_build_options(voice)[0].sort_key


def change_recordings(chance: random.Random, studio: Studio, voice: Voice) -> None:
    """Lengths, rates, levels, findings and marks at random, in a few recordings of most voices."""
    for recording in voice.recordings.all():
        if chance.random() < 0.1:
            recording.seconds, recording.sample_rate = chance.choice([0.5, 25.0, 75.0]), chance.choice([8000, 44100])
        if chance.random() < 0.05:
            recording.set_findings = [make_finding("unlike_level", by=12.0, direction="louder").as_dict()]
        if chance.random() < 0.05:
            recording.set_findings = [OTHER_SPEAKER]
        share = chance.choice([0.0, 0.0, 0.0, 0.0005])
        recording.levels = {"peak_dbfs": -3.0, "rms_dbfs": -20.0, "speech_seconds": 2.0, "clipped_share": share}
        recording.save(update_fields=["seconds", "sample_rate", "set_findings", "levels"])
    update_figures(voice.recordings.all())
    if chance.random() < 0.4:
        studio.make_build(voice, chance.choice([BuildStatus.READY, BuildStatus.DATASET_ISSUE]))
        for row in BuildRecording.objects.filter(build__voice=voice):
            is_outlier, is_silent = chance.random() < 0.1, chance.random() < 0.05
            rows = BuildRecording.objects.filter(pk=row.pk)
            rows.update(has_report=True, is_outlier=is_outlier, is_silent=is_silent, finding_codes=["unlike_level"])


@pytest.mark.parametrize("has_override", [False, True])
def test_lists_and_the_page_of_a_voice_agree_on_doubts(full_studio: Studio, has_override: bool) -> None:
    if has_override:
        ThresholdOverride.objects.create(
            provider="resemble_v2", tier="rapid", name="clipping_share", value=0.0002, reason="Strict."
        )
    chance, voices, ranks = random.Random(7), list[Voice](), list[Rank]()  # noqa: S311 - no secret
    for number in range(30):
        providers = tuple(chance.sample(PROVIDERS, chance.randrange(1, 6)))
        voices.append(make_allowed_voice(full_studio, f"Voice {number}", providers))
        full_studio.make_fileless_recordings(voices[-1], chance.choice([4, 12, 30]))
        voices[-1].recordings.update(findings=[], seconds=chance.choice([3.0, 40.0]), sample_rate=44100)
        change_recordings(chance, full_studio, voices[-1])
    nearest = find_nearest_targets(voices)
    for voice in voices:
        option, target = list_build_options(voice)[0], nearest[voice.pk]
        assert (target.distance, target.account) == (option.sort_key, option.account), voice
        ranks.append(option.rank)
    assert min(ranks.count(Rank.READY), ranks.count(Rank.READY_WITH_DOUBTS)) > 2


@pytest.mark.parametrize("page", PAGES)
def test_number_of_queries_does_not_grow_with_ready_voices(
    producer_client: Client, full_studio: Studio, page: str
) -> None:
    def add_voices(first: int, last: int) -> None:
        for number in range(first, last):
            voice = make_allowed_voice(full_studio, f"Voice {number}")
            full_studio.make_fileless_recordings(voice, 12)
            if number % 2:
                add_doubt(voice)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            producer_client.get(reverse(page))
        return len(queries)

    add_voices(0, 2)
    count()
    expected = count()
    add_voices(2, 7)
    assert count() == expected


@pytest.mark.parametrize("fields", [{"seconds": 0.2}, {"seconds": 400.0}, {"sample_rate": 4000}])
def test_recording_outside_a_limit_of_the_tier_is_a_doubt_in_lists_too(
    full_studio: Studio, fields: dict[str, float]
) -> None:
    voice = make_allowed_voice(full_studio, "Nora")
    odd, *_others = full_studio.make_recordings(voice, 4)
    Recording.objects.filter(pk=odd.pk).update(**fields)
    check = load_sending_check([voice.pk], get_all_limits(), were_built=True)
    found = {}
    for option in list_build_options(voice):
        found[option.key] = bool(option.likely_failures)
        assert check.has_doubts(voice.pk, option.account, option.readiness) == found[option.key], option.name
    assert any(found.values())
