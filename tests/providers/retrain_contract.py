"""The contract of providers that can retrain a voice, and of those that take recordings one by one."""

from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest

from providers.base import Provider
from providers.errors import ProviderUnavailable
from providers.types import BuildReport, BuildSpec, ClipUpload, Handover, RemoteStatus, Tier
from tests.providers.contract import LONG_TRAINING_SECONDS, ProviderContract, SandboxAccount
from tests.providers.factories import make_file_ref, make_sound
from tests.support.sandbox import CallbackServer, SandboxProcess, poll_until


def make_clip(number: int, transcript: str) -> ClipUpload:
    return ClipUpload(
        f"key-{number}", f"line-{number}", transcript, make_file_ref(f"line-{number}.wav", make_sound(number))
    )


class RetrainContract(ProviderContract):
    """For tiers with `can_retrain`. All `creating_operations` but the first start a training of an existing voice."""

    def train_voice(
        self, account: SandboxAccount, tier: Tier, handover: Handover, listener: CallbackServer
    ) -> tuple[BuildSpec, BuildSpec]:
        """Train a voice; returns the spec of its finished build and the spec of its next build."""
        account.sandbox.call_control("POST", "settings", {"training_seconds": 0.0})
        spec = replace(self.make_spec(tier, handover, listener), callback_url="")
        journal = self.submit_until_done(account, spec, self.make_journal(spec))
        with account.open_provider() as provider:
            self.wait_for_build(provider, journal.remote_id)
        account.sandbox.call_control("POST", "settings", {"training_seconds": LONG_TRAINING_SECONDS})
        next_spec = journal.apply_to(spec)
        clips = next_spec.clips
        if clips:
            clips = (replace(clips[1], transcript="Another transcript."), clips[2], make_clip(9, "A new clip."))
        stale_recordings = (next_spec.clips[0].remote_id,) if clips else ()
        url = f"{listener.address}/{uuid4().hex}.zip" if next_spec.dataset_url else ""
        return spec, replace(next_spec, clips=clips, stale_recordings=stale_recordings, dataset_url=url)

    def wait_for_build(self, provider: Provider, remote_id: str) -> BuildReport:

        def fetch_ended() -> BuildReport | None:
            report = provider.fetch_build(remote_id)
            return report if report.status not in (RemoteStatus.TRAINING, RemoteStatus.AWAITING_DATA) else None

        return poll_until(fetch_ended)

    def test_worker_killed_at_any_line_of_a_rebuild_starts_one_training(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        """The second build drops a clip, adds one and changes a transcript. Unchanged clips are not uploaded again."""
        for tier, handover in self.list_distinct_modes():
            line, has_more_lines, uploads = 0, True, self.count_uploads(account)
            while has_more_lines:
                line += 1
                spec, rebuild_spec = self.train_voice(account, tier, handover, listener)
                creations_before = account.count_creations()[spec.reference]
                journal = self.make_journal(
                    rebuild_spec, kill_at_line=line, saves_killed_line=line % 2 == 0, remote_id=rebuild_spec.remote_id
                )
                report = self.submit_until_done(account, rebuild_spec, journal).report
                assert report is not None
                assert report.status is RemoteStatus.TRAINING, (tier, handover, line)
                creations = account.count_creations()[spec.reference] - creations_before
                assert creations == Counter(self.creating_operations[1:]), (tier, handover, line)
                has_more_lines = journal.line_count >= line
            uploads_per_line = len(spec.clips) + 1 if spec.clips else 0
            assert self.count_uploads(account) - uploads == line * uploads_per_line, (tier, handover)


class RecordingsContract(RetrainContract):
    """For Handover.RECORDINGS: recordings are uploaded one by one to a voice, which lists them by name."""

    def send_unrecorded_recording(self, account: SandboxAccount, remote_id: str, clip: ClipUpload) -> None:
        """Send a recording and do not record its id, like a worker that is killed in between."""
        raise NotImplementedError

    def list_recordings(self, account: SandboxAccount, remote_id: str) -> dict[str, str]:
        """The transcripts of the recordings at the provider, by name."""
        raise NotImplementedError

    def list_recording_tiers(self) -> list[Tier]:
        return [tier for tier, handover in self.list_modes() if handover is Handover.RECORDINGS]

    def test_rebuild_has_exactly_the_recordings_of_its_spec(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        for tier in self.list_recording_tiers():
            _first_spec, rebuild_spec = self.train_voice(account, tier, Handover.RECORDINGS, listener)
            self.send_unrecorded_recording(account, rebuild_spec.remote_id, make_clip(7, "An unrecorded clip."))
            self.submit_until_done(
                account, rebuild_spec, self.make_journal(rebuild_spec, remote_id=rebuild_spec.remote_id)
            )
            recordings = self.list_recordings(account, rebuild_spec.remote_id)
            assert recordings == {clip.name: clip.transcript for clip in rebuild_spec.clips}

    def test_recording_deleted_at_the_provider_is_sent_again(
        self, account: SandboxAccount, listener: CallbackServer
    ) -> None:
        for tier in self.list_recording_tiers():
            first_spec, rebuild_spec = self.train_voice(account, tier, Handover.RECORDINGS, listener)
            self.submit_until_done(
                account, rebuild_spec, self.make_journal(rebuild_spec, remote_id=rebuild_spec.remote_id)
            )
            # The clip that the second build excluded; its row still has the remote id.
            stale_clip = replace(
                first_spec.clips[0],
                remote_id=rebuild_spec.stale_recordings[0],
                sent_transcript=first_spec.clips[0].transcript,
            )
            third_spec = replace(rebuild_spec, clips=(stale_clip, *rebuild_spec.clips), stale_recordings=())
            self.submit_until_done(account, third_spec, self.make_journal(third_spec, remote_id=rebuild_spec.remote_id))
            assert set(self.list_recordings(account, rebuild_spec.remote_id)) == {
                clip.name for clip in third_spec.clips
            }

    @pytest.mark.parametrize("fault", ["drop", "truncate"])
    def test_lost_response_to_an_upload_makes_no_second_recording(
        self, account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer, fault: str
    ) -> None:
        for tier in self.list_recording_tiers():
            spec = self.make_spec(tier, Handover.RECORDINGS, listener)
            journal = self.make_journal(spec)
            sandbox.set_faults({"operation": self.upload_operation, "do": fault, "phase": "after_commit", "nth": 2})
            with account.open_provider() as provider, pytest.raises(ProviderUnavailable):
                provider.submit_build(spec, journal)
            self.submit_until_done(account, spec, journal)
            assert self.list_recordings(account, journal.remote_id) == {
                clip.name: clip.transcript for clip in spec.clips
            }
