"""The options of a provider: checked, frozen with the build, and sent. Also emotions, and authorized uploaders."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from providers.types import Handover, Tier
from tests.support.html import read_html
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import AccountMode, Build, BuildStatus, RemoteVoice
from voices.services.builds.options import describe_emotions, list_shown_options
from voices.services.builds.start import BuildRefused, start_build
from voices.services.recordings.emotions import set_emotion
from voices.services.recordings.store import change_voice
from voices.services.uploaders import has_only_authorized_uploaders, set_authorized_uploader

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]
LONG = "x" * 1001


def start(harness: BuildHarness, handover: Handover, **options: object) -> Build:
    return start_build(harness.make_voice(), harness.account, Tier.RAPID, handover, harness.producer, options)


def read_sent(harness: BuildHarness, operation: str) -> list[dict[str, Any]]:
    return [request["options"] for request in harness.list_requests(operation)]


def test_options_are_frozen_with_their_defaults_and_sent(make_harness: MakeHarness) -> None:
    harness = make_harness("speechgen")
    build = start(harness, Handover.ONE_FILE, description="  Calm\n guide ", enhance_quality="no")
    assert build.options == {"description": "Calm guide", "enhance_quality": False}
    harness.finish_build(build)
    plain = harness.finish_build(start_build(build.voice, harness.account, "rapid", "one_file", harness.producer))
    assert plain.options == {"description": "Made by VoiceHub", "enhance_quality": True}
    assert read_sent(harness, "sg_clone") == [build.options, plain.options]
    assert [tuple(shown) for shown in list_shown_options(build)] == [
        ("Description", "Calm guide"),
        ("Enhance the quality", "No"),
    ]


def test_build_from_before_the_options_sends_the_defaults(make_harness: MakeHarness) -> None:
    harness = make_harness("speechgen")
    build = start(harness, Handover.ONE_FILE)
    Build.objects.update(options={})
    assert harness.finish_build(build).status == BuildStatus.READY
    assert read_sent(harness, "sg_clone") == [{"description": "Made by VoiceHub", "enhance_quality": True}]


@pytest.mark.parametrize(
    ("provider", "handover", "options", "reason"),
    [
        ("speechgen", Handover.ONE_FILE, {"description": LONG}, "Description: enter at most 500 characters."),
        ("speechgen", Handover.ONE_FILE, {"description": "a\x00b"}, "Description: enter text on one line."),
        ("speechgen", Handover.ONE_FILE, {"description": ["a"]}, "Description: enter text on one line."),
        ("speechgen", Handover.ONE_FILE, {"enhance_quality": "maybe"}, "Enhance the quality: choose yes or no."),
        ("speechgen", Handover.ONE_FILE, {"voice": "x"}, "The provider has no option voice."),
        ("audiostack", Handover.FILE_IDS, {"gender": "x"}, "Gender of the voice: choose one of the listed values."),
        ("voiceai", Handover.ONE_FILE, {"description": "x"}, "The provider has no option description."),
    ],
)
def test_server_refuses_options_that_no_form_sends(
    make_harness: MakeHarness, provider: str, handover: Handover, options: dict[str, object], reason: str
) -> None:
    with pytest.raises(ActionRefused, match=reason):
        start(make_harness(provider), handover, **options)
    assert not Build.objects.exists() and not RemoteVoice.objects.exists()


def test_gender_is_sent_only_if_it_is_chosen(make_harness: MakeHarness) -> None:
    harness = make_harness("audiostack")
    for options in ({}, {"gender": "female"}):
        harness.finish_build(start(harness, Handover.FILE_IDS, **options))
    assert read_sent(harness, "clone_voice") == [{"gender": ""}, {"gender": "female"}]


def test_each_recording_has_its_emotion_or_that_of_its_voice(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    change_voice(voice, name=voice.name, countries=voice.countries, emotion="happy")
    first, *_others = voice.recordings.all()
    set_emotion(first, " calm   and low ")
    build = harness.finish_build(start_build(voice, harness.account, "rapid", "recordings", harness.producer))
    rows = build.recordings.order_by("recording__file_name").values_list("emotion", flat=True)
    assert list(rows) == ["calm and low", "happy", "happy"]
    sent = read_sent(harness, "create_recording")
    assert sorted(options["emotion"] for options in sent) == ["calm and low", "happy", "happy"]
    assert describe_emotions(build) == "happy, 2; calm and low, 1"
    build.recordings.exclude(emotion="happy").update(emotion="")
    assert describe_emotions(build) == "happy"
    with pytest.raises(ActionRefused, match="at most 64 characters"):
        set_emotion(first, "x" * 65)


def test_provider_without_emotions_gets_none(make_harness: MakeHarness) -> None:
    harness = make_harness("speechgen")
    build = start(harness, Handover.ONE_FILE)
    assert set(build.recordings.values_list("emotion", flat=True)) == {""}


def test_finished_build_has_the_metrics_of_the_list(harness: BuildHarness) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    for row in build.recordings.all():
        assert row.signal_to_noise_ratio is not None and row.signal_to_noise_ratio > 5
        assert row.loudness_grade in ("A", "B", "C", "D")


# --- authorized uploaders ---------------------------------------------------------------------------


def authorize(harness: BuildHarness, is_authorized: bool = True, source: str = "Support, November 3, 2026") -> None:
    set_authorized_uploader(harness.account, is_authorized, harness.producer, source=source, reason="Agreed.")


def test_authorized_uploader_sends_no_consent_and_is_accepted(
    sandbox: SandboxProcess, producer: User, client: Client
) -> None:
    harness = BuildHarness(producer, sandbox, key="authorized-uploader-1")
    authorize(harness)
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    assert build.status == BuildStatus.READY
    assert [options["consent"] for options in read_sent(harness, "create_voice")] == [False]
    authorize(harness, False)
    later = harness.finish_build(harness.start_build(harness.make_voice()))
    assert [options["consent"] for options in read_sent(harness, "create_voice")] == [False, True]
    client.force_login(producer)
    pages = [read_html(client.get(one.get_absolute_url())) for one in (build, later)]
    assert ["the provider asks this account for no proof of consent" in page for page in pages] == [True, False]


def test_account_that_is_none_is_refused_by_the_provider(harness: BuildHarness) -> None:
    authorize(harness)
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    assert build.status == BuildStatus.FAILED and "authorized uploader" in build.issue


def test_authorized_uploader_still_needs_consent_and_contract(sandbox: SandboxProcess, producer: User) -> None:
    harness = BuildHarness(producer, sandbox, key="authorized-uploader-2")
    authorize(harness)
    voice = harness.make_voice()
    voice.talent.consents.update(status="withdrawn")
    with pytest.raises(BuildRefused):
        harness.start_build(voice)
    assert not harness.list_requests()


def test_only_a_provider_that_names_exempt_accounts_can_have_one(make_harness: MakeHarness) -> None:
    harness = make_harness("audiostack")
    with pytest.raises(ActionRefused, match="names no accounts"):
        authorize(harness)
    harness.account.refresh_from_db()
    assert not harness.account.is_authorized_uploader


def test_authorized_uploader_needs_a_source(harness: BuildHarness) -> None:
    with pytest.raises(ActionRefused, match="who confirmed it"):
        authorize(harness, source="")
    authorize(harness)
    assert harness.account.uploader_set_by == harness.producer
    with pytest.raises(ActionRefused, match="already so"):
        authorize(harness)


def test_consent_stays_only_if_every_account_is_exempt(harness: BuildHarness, producer: User) -> None:
    assert not has_only_authorized_uploaders("resemble_v2")
    authorize(harness)
    assert has_only_authorized_uploaders("resemble_v2")
    other = BuildHarness(producer, harness.sandbox)
    assert other.account.mode == AccountMode.SANDBOX
    assert not has_only_authorized_uploaders("resemble_v2")
