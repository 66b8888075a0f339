"""What a provider is held to besides where one voice is trained again, and where recordings are sent one by one."""

from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest

from providers.base import Provider
from providers.errors import ProviderUnavailable
from providers.types import BuildReport, BuildSpec, ClipUpload, Handover, RemoteStatus, Tier
from tests.providers.contract import LONG, ProviderContract, Scene
from tests.providers.making import blob, sound
from tests.support.sandbox import Listener, Sandbox, until


def new_clip(number: int, words: str) -> ClipUpload:
    return ClipUpload(f"key-{number}", f"line-{number}", words, blob(f"line-{number}.wav", sound(number)))


class TrainsAgain(ProviderContract):
    """Where `trains_again` is True. All but the first of `creating` start a training of a voice that exists."""

    def trained(self, scene: Scene, tier: Tier, way: Handover, listener: Listener) -> tuple[BuildSpec, BuildSpec]:
        """A build that has come to an end, and the spec of the next one of the same voice."""
        scene.sandbox.control("POST", "settings", {"training_seconds": 0.0})
        spec = replace(self.spec(tier, way, listener), callback_url="")
        notes = self.carried(scene, spec, self.notes(spec))
        with scene.opened() as provider:
            self.ended(provider, notes.remote_id)
        scene.sandbox.control("POST", "settings", {"training_seconds": LONG})
        known = notes.known(spec)
        clips = known.clips
        if clips:
            clips = (replace(clips[1], transcript="Other words."), clips[2], new_clip(9, "Quite new."))
        surplus = (known.clips[0].remote_id,) if clips else ()
        url = f"{listener.address}/{uuid4().hex}.zip" if known.dataset_url else ""
        return spec, replace(known, clips=clips, stale_recordings=surplus, dataset_url=url)

    def ended(self, provider: Provider, remote_id: str) -> BuildReport:
        """The report of the build, once there is one."""

        def look() -> BuildReport | None:
            report = provider.fetch_build(remote_id)
            return report if report.status not in (RemoteStatus.TRAINING, RemoteStatus.AWAITING_DATA) else None

        return until(look)

    def test_killed_at_any_line_of_a_rebuild_it_is_built_once_more(self, scene: Scene, listener: Listener) -> None:
        """The second build leaves a clip out, brings a new one, changes words; the rest is not sent again."""
        for tier, way in self.unlike_ways():
            line, more, sent = 0, True, self._sent(scene)
            while more:
                line += 1
                spec, again = self.trained(scene, tier, way, listener)
                before = scene.billed()[spec.reference]
                notes = self.notes(again, dies_at=line, keeps_last=line % 2 == 0, remote_id=again.remote_id)
                report = self.carried(scene, again, notes).report
                assert report is not None
                assert report.status is RemoteStatus.TRAINING, (tier, way, line)
                assert scene.billed()[spec.reference] - before == Counter(self.creating[1:]), (tier, way, line)
                more = notes.lines >= line
            assert self._sent(scene) - sent == line * (len(spec.clips) + 1 if spec.clips else 0), (tier, way)


class SendsRecordings(TrainsAgain):
    """Where recordings are sent one by one to a voice that has them by name (Handover.RECORDINGS)."""

    def send_behind_our_back(self, scene: Scene, remote_id: str, clip: ClipUpload) -> None:
        """Put a recording there as a worker does that is killed before it can write it down."""
        raise NotImplementedError

    def recordings(self, scene: Scene, remote_id: str) -> dict[str, str]:
        """The names and words of the recordings that the provider has."""
        raise NotImplementedError

    def tiers(self) -> list[Tier]:
        """Those that take recordings one by one."""
        return [tier for tier, way in self.ways() if way is Handover.RECORDINGS]

    def test_rebuild_has_exactly_the_recordings_of_its_spec(self, scene: Scene, listener: Listener) -> None:
        for tier in self.tiers():
            _first, again = self.trained(scene, tier, Handover.RECORDINGS, listener)
            self.send_behind_our_back(scene, again.remote_id, new_clip(7, "Nobody knows of it."))
            self.carried(scene, again, self.notes(again, remote_id=again.remote_id))
            there = self.recordings(scene, again.remote_id)
            assert there == {clip.name: clip.transcript for clip in again.clips}

    def test_what_was_deleted_over_there_is_sent_again(self, scene: Scene, listener: Listener) -> None:
        for tier in self.tiers():
            first, again = self.trained(scene, tier, Handover.RECORDINGS, listener)
            self.carried(scene, again, self.notes(again, remote_id=again.remote_id))
            # The clip that the second build left out, which our table still gives an id.
            stale = replace(
                first.clips[0], remote_id=again.stale_recordings[0], sent_transcript=first.clips[0].transcript
            )
            third = replace(again, clips=(stale, *again.clips), stale_recordings=())
            self.carried(scene, third, self.notes(third, remote_id=again.remote_id))
            assert set(self.recordings(scene, again.remote_id)) == {clip.name for clip in third.clips}

    @pytest.mark.parametrize("fault", ["drop", "truncate"])
    def test_lost_answer_to_a_recording_is_not_a_second_recording(
        self, scene: Scene, sandbox: Sandbox, listener: Listener, fault: str
    ) -> None:
        for tier in self.tiers():
            spec = self.spec(tier, Handover.RECORDINGS, listener)
            notes = self.notes(spec)
            sandbox.faults({"operation": self.sending, "do": fault, "phase": "after_commit", "nth": 2})
            with scene.opened() as provider, pytest.raises(ProviderUnavailable):
                provider.submit_build(spec, notes)
            self.carried(scene, spec, notes)
            assert self.recordings(scene, notes.remote_id) == {clip.name: clip.transcript for clip in spec.clips}
