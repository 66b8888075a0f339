"""Which recordings are too long, for each tier and handover: on its page, and when a build starts or is sent."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from providers import registry
from providers.types import Handover, Tier
from tests.support.checked import mark_checked
from tests.support.html import read_html
from tests.support.wav import make_wav_bytes
from tests.voices.rows import Studio, make_upload
from tests.voices.services.builds.test_readiness import find_option, make_account, make_allowed_voice
from voicehub.refusals import ActionRefused
from voices.models import Account, Build, BuildStatus, LimitOverride, Recording, RecordingStatus, Voice
from voices.models.limits import get_limits
from voices.services.builds.gaps import GapKind
from voices.services.builds.lengths import find_length_limit, is_joined, takes_whole
from voices.services.builds.readiness import check_readiness
from voices.services.builds.start import start_build
from voices.services.builds.submit import submit_build
from voices.services.recordings.bulk.inclusion import include_recordings
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import add_recording, set_active

pytestmark = pytest.mark.django_db

RAPID, PROFESSIONAL = Tier.RAPID, Tier.PROFESSIONAL
TEN_MEGABYTES_AT_48_KHZ = (10_000_000 - 44) / 2 / 48_000
HALF_A_GIGABYTE_AT_48_KHZ = (500_000_000 - 44) / 2 / 48_000
# The longest recording of 48 kHz that each handover takes whole. None: any length that is stored.
LONGEST = [
    ("resemble_v2", RAPID, Handover.RECORDINGS, 60.0),
    ("resemble_v2", RAPID, Handover.DATASET_URL, None),
    ("resemble_v2", PROFESSIONAL, Handover.RECORDINGS, 60.0),
    ("resemble_v2", PROFESSIONAL, Handover.DATASET_URL, 60.0),
    ("resemble_v1", PROFESSIONAL, Handover.SIGNED_PUT_TEXTS, 20.0),
    ("resemble_v1", PROFESSIONAL, Handover.SIGNED_PUT_CLIPS, 20.0),
    ("resemble_v1", PROFESSIONAL, Handover.SIGNED_PUT_WAV, None),
    ("audiostack", RAPID, Handover.FILE_IDS, TEN_MEGABYTES_AT_48_KHZ),
    ("audiostack", PROFESSIONAL, Handover.FILE_IDS, HALF_A_GIGABYTE_AT_48_KHZ),
    ("speechgen", RAPID, Handover.ONE_FILE, 300.0),
    ("voiceai", RAPID, Handover.ONE_FILE, 60.0),
]
SHORT_TIER, LONG_RECORDING = ("resemble_v2", PROFESSIONAL), 240.0


def add_long(voice: Voice, seconds: float, name: str = "interview.wav", rate: int = 48_000) -> Recording:
    """A recording without a file, as good as its length allows. Nothing in these tests opens it."""
    row = Recording.objects.create(
        voice=voice, file="none/long.wav", file_name=name, sha256=f"{name}{seconds}"[:64], size=1, status="accepted",
        seconds=seconds, sample_rate=rate, uploaded_by=voice.created_by, transcript="Words.",
        levels={"snr_db": 40.0, "peak_dbfs": -6.0, "rms_dbfs": -20.0},
    )  # fmt: skip
    update_figures(voice.recordings.all())
    return row


@pytest.fixture
def voice(studio: Studio) -> Voice:
    """A voice that every provider may build."""
    for provider in ("resemble_v1", "audiostack", "speechgen", "voiceai"):
        make_account(provider)
    return make_allowed_voice(studio)


def get_account(provider: str) -> Account:
    return Account.objects.get(provider=provider)


def list_kinds(voice: Voice, provider: str, tier: Tier, handover: Handover) -> list[GapKind]:
    state = check_readiness(voice, get_account(provider), tier)
    return [gap.kind for gap in state.gaps_by_handover[handover]]


def test_matrix_has_every_handover() -> None:
    handovers = [
        (provider.slug, tier, handover)
        for provider in registry.list_providers()
        for tier, capabilities in provider.tiers.items()
        for handover in capabilities.handover
    ]
    assert sorted(row[:3] for row in LONGEST) == sorted(handovers)


@pytest.mark.parametrize(("provider", "tier", "handover", "longest"), LONGEST)
def test_limit_of_each_handover_holds_to_the_sample(
    provider: str, tier: Tier, handover: Handover, longest: float | None
) -> None:
    capabilities = registry.get_provider_class(provider).tiers[tier]
    limit = find_length_limit(capabilities, get_limits(capabilities, provider), handover)
    if longest is None:
        assert not limit.is_known and not limit.is_exceeded(7200.0, 48_000)
    else:
        assert not limit.is_exceeded(longest, 48_000)
        assert limit.is_exceeded(longest + 0.001, 48_000)


@pytest.mark.parametrize(("provider", "tier", "handover", "longest"), LONGEST)
def test_readiness_judges_a_recording_at_the_limit_as_the_limit_does(
    voice: Voice, provider: str, tier: Tier, handover: Handover, longest: float | None
) -> None:
    """The database counts what the limit says of one recording."""
    row = add_long(voice, longest or 7200.0)
    mark_checked(voice)
    assert GapKind.TOO_LONG not in list_kinds(voice, provider, tier, handover)
    Recording.objects.filter(pk=row.pk).update(seconds=(longest or 7199.0) + 0.01)
    assert (GapKind.TOO_LONG in list_kinds(voice, provider, tier, handover)) is (longest is not None)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_size_limit_depends_on_the_sampling_rate(voice: Voice, rate: int) -> None:
    row = add_long(voice, 200.0, rate=rate)
    mark_checked(voice)
    is_refused = GapKind.TOO_LONG in list_kinds(voice, "audiostack", RAPID, Handover.FILE_IDS)
    assert is_refused is (200 * rate * 2 + 44 > 10_000_000) is (rate > 22_050)
    assert row.can_be_cut


# --- what is sent whole ---


def test_one_long_recording_is_ready_where_it_is_taken_whole(voice: Voice) -> None:
    add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    ready = {
        (account.provider, tier)
        for account in Account.objects.all()
        for tier in registry.get_provider_class(account.provider).tiers
        if not check_readiness(voice, account, tier).gaps
    }
    assert ready == {("resemble_v2", RAPID), ("resemble_v1", PROFESSIONAL), ("speechgen", RAPID)}
    option = find_option(voice, "resemble_v2")
    assert option.readiness.best_handover == Handover.DATASET_URL and option.readiness.seconds == LONG_RECORDING
    assert find_option(voice, "resemble_v1", "professional").readiness.best_handover == Handover.SIGNED_PUT_WAV


def test_long_recording_as_one_sound_needs_no_number_and_no_transcript(voice: Voice) -> None:
    add_long(voice, LONG_RECORDING)
    Recording.objects.update(transcript="")
    mark_checked(voice)
    assert list_kinds(voice, "resemble_v2", RAPID, Handover.DATASET_URL) == []
    kinds = list_kinds(voice, "resemble_v2", RAPID, Handover.RECORDINGS)
    # Longer recordings are not trained on, so there is no speech either.
    expected = [GapKind.RECORDINGS, GapKind.RECORDINGS, GapKind.TOO_LONG, GapKind.TRANSCRIPTS]
    assert kinds == expected


def test_advice_about_clips_is_not_given_for_one_raw_sound(voice: Voice) -> None:
    row = add_long(voice, 19.0)
    mark_checked(voice)

    def list_advice() -> list[tuple[str, str]]:
        tiers = (("resemble_v2", RAPID), ("resemble_v1", PROFESSIONAL))
        advice = [(name, gap) for name, tier in tiers for gap in check_readiness(voice, get_account(name), tier).advice]
        return [(name, gap.text) for name, gap in advice if "12 seconds" in gap.text or "more recordings" in gap.text]

    assert list_advice() == [
        ("resemble_v2", "1 recording is longer than 12 seconds. The provider accepts them but does not train on them."),
        ("resemble_v1", "49 more recordings would improve the voice."),
    ]
    Recording.objects.filter(pk=row.pk).update(seconds=LONG_RECORDING)
    assert list_advice() == []


def test_dataset_of_clips_needs_what_the_clips_need_one_by_one(voice: Voice) -> None:
    add_long(voice, 11.0)
    Recording.objects.update(transcript="")
    mark_checked(voice)
    expected = [GapKind.RECORDINGS, GapKind.TRANSCRIPTS]
    assert list_kinds(voice, "resemble_v2", RAPID, Handover.DATASET_URL) == expected


def test_build_by_a_joining_handover_sends_all_and_one_by_clips_is_refused(voice: Voice) -> None:
    long = add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    account = get_account("resemble_v1")
    with pytest.raises(ActionRefused, match="1 recording is longer than 20 s: interview.wav. Cut"):
        start_build(voice, account, PROFESSIONAL, Handover.SIGNED_PUT_CLIPS, voice.created_by)
    assert not Build.objects.exists()
    build = start_build(voice, account, PROFESSIONAL, Handover.SIGNED_PUT_WAV, voice.created_by)
    assert [row.recording for row in build.recordings.all()] == [long]


# --- what is too long ---


def test_refused_build_names_the_longest_recordings(voice: Voice) -> None:
    for number in range(5):
        add_long(voice, 100.0 + number, f"take-{number}.wav")
    mark_checked(voice)
    with pytest.raises(ActionRefused) as refused:
        start_build(voice, get_account("resemble_v2"), PROFESSIONAL, Handover.RECORDINGS, voice.created_by)
    text = "5 recordings are longer than 1 min: take-4.wav, take-3.wav, take-2.wav and 2 more."
    assert any(text in reason for reason in refused.value.reasons)


def test_excluded_recording_blocks_nothing(voice: Voice) -> None:
    row = add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    set_active(row, False)
    assert GapKind.TOO_LONG not in list_kinds(voice, *SHORT_TIER, Handover.RECORDINGS)


def test_selection_leaves_a_long_recording_out_and_says_so(voice: Voice, studio: Studio) -> None:
    studio.make_recordings(voice, 4)
    add_long(voice, 700.0)
    mark_checked(voice)
    option = find_option(voice, "speechgen")
    assert [(row.name, row.reason) for row in option.excluded_recordings] == [
        ("interview.wav", "longer than 5 min, too long for this provider")
    ]
    (advice,) = [link for link in option.advice if "interview.wav" in link.text]
    assert advice.text == (
        "1 recording is longer than 5 min, so the build leaves it out: interview.wav. "
        "Cut it, so that its clips can be sent."
    )
    assert [cut.text for cut in advice.cuts] == ["Cut interview.wav"]
    build = start_build(voice, get_account("speechgen"), RAPID, Handover.ONE_FILE, voice.created_by)
    assert "interview.wav" not in [row.recording.file_name for row in build.recordings.all()]


def test_selection_without_other_speech_is_refused_in_words(voice: Voice) -> None:
    add_long(voice, 700.0)
    mark_checked(voice)
    with pytest.raises(ActionRefused) as refused:
        start_build(voice, get_account("speechgen"), RAPID, Handover.ONE_FILE, voice.created_by)
    assert refused.value.reasons == (
        "Another 10 s of usable speech is needed.",
        "1 recording is longer than 5 min: interview.wav. Cut it into clips, or exclude it.",
    )


def test_recording_that_the_provider_refuses_is_not_named(voice: Voice, studio: Studio) -> None:
    refused = add_long(voice, 300.0, "other-speaker.wav")
    add_long(voice, 200.0, "take.wav")
    mark_checked(voice)
    build = studio.make_build(voice, BuildStatus.READY)
    build.recordings.filter(recording=refused).update(has_report=True, is_outlier=True)
    state = check_readiness(voice, get_account("resemble_v2"), PROFESSIONAL)
    (gap,) = [gap for gap in state.gaps_by_handover[Handover.RECORDINGS] if gap.kind is GapKind.TOO_LONG]
    assert [row.name for row in gap.recordings] == ["take.wav"]
    assert gap.text.startswith("1 recording is longer than 1 min: take.wav.")


def test_admin_limit_decides(voice: Voice) -> None:
    add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    LimitOverride.objects.create(provider="resemble_v2", tier="professional", limit="longest_clip", value=240)
    assert GapKind.TOO_LONG not in list_kinds(voice, *SHORT_TIER, Handover.RECORDINGS)
    LimitOverride.objects.create(provider="speechgen", tier="rapid", limit="most_seconds", value=239)
    assert GapKind.TOO_LONG in list_kinds(voice, "speechgen", RAPID, Handover.ONE_FILE)


def test_limit_that_fell_after_the_start_fails_the_build_before_any_call(voice: Voice, monkeypatch: Any) -> None:
    add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    build = start_build(voice, get_account("speechgen"), RAPID, Handover.ONE_FILE, voice.created_by)
    LimitOverride.objects.create(provider="speechgen", tier="rapid", limit="most_seconds", value=200)
    monkeypatch.setattr("voices.services.builds.submit.open_session", lambda _account: pytest.fail("called"))
    submit_build(str(build.pk), lease=None)  # type: ignore[arg-type]  # it is refused before it needs one
    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert build.issue == (
        "interview.wav is longer than 3 min 20 s, which the provider does not take. Cut it into clips, or exclude it."
    )


# --- double sound ---


def test_recording_whose_clips_are_in_the_voice_cannot_be_included(voice: Voice) -> None:
    whole = add_long(voice, LONG_RECORDING)
    piece = add_long(voice, 8.0, "interview-001.wav")
    Recording.objects.filter(pk=piece.pk).update(source=whole)
    set_active(whole, False)
    with pytest.raises(ActionRefused, match="in a build twice"):
        set_active(whole, True)
    result = include_recordings(voice, [whole.pk], voice.created_by)
    assert (result.changed, dict(result.skipped)) == (0, {"already split into clips": 1})
    piece.delete()
    set_active(whole, True)
    assert whole.active


def test_dataset_of_a_rapid_voice_is_joined_and_that_of_a_professional_voice_is_not() -> None:
    assert is_joined(Handover.DATASET_URL, Tier.RAPID) and not is_joined(Handover.DATASET_URL, Tier.PROFESSIONAL)


@pytest.mark.parametrize("seconds", [60.0, 60.01])
def test_tier_takes_a_recording_whole_if_one_handover_does(seconds: float) -> None:
    tiers = registry.get_provider_class("resemble_v2").tiers
    assert takes_whole(tiers[RAPID], tiers[RAPID].limits, seconds, 48_000)
    assert takes_whole(tiers[PROFESSIONAL], tiers[PROFESSIONAL].limits, seconds, 48_000) is (seconds <= 60)


# --- pages ---


def test_readiness_page_names_and_links_what_to_cut(producer_client: Client, voice: Voice) -> None:
    row = add_long(voice, LONG_RECORDING)
    mark_checked(voice)
    text = read_html(producer_client.get(voice.get_readiness_url()))
    assert "1 recording is longer than 1 min: interview.wav. Cut it into clips, or exclude it." in text
    url = reverse("voices:recording_cuts", args=[row.pk])
    assert f'href="{url}"' in producer_client.get(voice.get_readiness_url()).content.decode()
    assert producer_client.get(url).status_code == 200


def test_details_say_which_tiers_take_it_whole(producer_client: Client, voice: Voice) -> None:
    row = add_long(voice, LONG_RECORDING)
    text = read_html(producer_client.get(reverse("voices:recording_details", args=[row.pk])))
    assert "Too long for Resemble AI, professional; AudioStack, instant; Voice.ai." in text
    assert "Taken whole by Resemble AI, rapid; Resemble AI v1; AudioStack, standard; Speechgen." in text
    assert "Check the cuts" in text
    short = add_long(voice, 19.0, "short.wav")
    text = read_html(producer_client.get(reverse("voices:recording_details", args=[short.pk])))
    assert "Too long for" not in text and "Check the cuts" not in text


def test_stored_status_follows_the_length_alone(studio: Studio, voice: Voice) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 60 * 8000 + 1)
    over, _new = add_recording(voice, make_upload("over.wav", make_wav_bytes(noise, rate=8000)), studio.producer)
    at, _new = add_recording(voice, make_upload("at.wav", make_wav_bytes(noise[:-1], rate=8000)), studio.producer)
    assert (over.status, at.status) == (RecordingStatus.ACCEPTED, RecordingStatus.ACCEPTED)
    found = [[one["code"] for one in row.findings if one["code"] in ("long", "too_long")] for row in (over, at)]
    assert found == [["long"], []]
