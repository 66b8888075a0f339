"""The WAV of a take in another format is sent to the provider, if neither it nor its original has changed."""

from collections.abc import Callable

import pytest

from consent.models import Take
from providers.types import Handover, Tier
from tests.voices.services.builds.build_harness import BuildHarness, make_upload
from voices.models import Build, BuildStatus
from voices.services.builds.spec import make_build_spec

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]


def start_build_with_converted_take(harness: BuildHarness) -> tuple[Build, Take]:
    build = harness.start_build(harness.make_voice(take="consent-slt.flac"), Tier.PROFESSIONAL, Handover.RECORDINGS)
    assert build.consent.take and build.consent.take.wav
    return build, build.consent.take


@pytest.mark.parametrize("name", ["file", "wav"])
def test_take_with_a_changed_file_is_not_sent(make_harness: MakeHarness, name: str) -> None:
    """Neither if the WAV that is sent has changed, nor if the original that it was made from has."""
    harness = make_harness("resemble_v2")
    build, take = start_build_with_converted_take(harness)
    file = getattr(take, name)
    file.storage.delete(file.name)
    file.storage.save(file.name, make_upload("rms-01"))
    harness.reach_status(build, BuildStatus.FAILED)
    assert "has changed since" in build.issue
    assert not harness.list_requests()


def test_converted_wav_of_a_take_is_sent(make_harness: MakeHarness) -> None:
    """The sandbox refuses a consent that is no 16-bit mono WAV, or is read by another person."""
    harness = make_harness("resemble_v2")
    build, take = start_build_with_converted_take(harness)
    consent = make_build_spec(build, lambda *_: pytest.fail("no archive")).consent
    assert consent and consent.size == take.wav.size
    with consent.open() as sent, take.wav.open() as wav:
        assert sent.read() == wav.read()
    assert harness.finish_build(build).status == BuildStatus.READY
