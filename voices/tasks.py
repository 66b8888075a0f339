"""Background work of this app: each handler hands over to a service."""

from datetime import timedelta

from voicehub import outbox
from voicehub.outbox import ANALYSIS, URGENT, Farewell, Lease, handles
from voicehub.retry_policy import GIVEN_UP_RETRY
from voices.services import previews, remote_voices
from voices.services.builds import poll, reconcile, submit
from voices.services.builds.submit import submit_given_up
from voices.services.previews import preview_given_up
from voices.services.recordings import analysis, segment
from voices.services.recordings.segment import cut_given_up


def asked_later(kind: str) -> Farewell:
    """For questions that must not end unanswered: they rest for a while, and are asked again."""
    return lambda object_id: outbox.add(kind, object_id, after=GIVEN_UP_RETRY)


@handles("submit_build", given_up=submit_given_up)
def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    return submit.submit_build(build_id, lease)


@handles("settle_build", given_up=asked_later("settle_build"), queue=URGENT)
def settle_build(build_id: str, _lease: Lease) -> timedelta | None:
    return reconcile.settle_build(build_id)


@handles("refresh_build", given_up=asked_later("refresh_build"), queue=URGENT)
def refresh_build(build_id: str, _lease: Lease) -> timedelta | None:
    return poll.refresh_build(build_id)


@handles("delete_remote_voice", given_up=asked_later("delete_remote_voice"), queue=URGENT)
def delete_remote_voice(remote_voice_id: str, _lease: Lease) -> timedelta | None:
    return remote_voices.delete_remote_voice(remote_voice_id)


@handles("make_preview", given_up=preview_given_up)
def make_preview(preview_id: str, _lease: Lease) -> timedelta | None:
    return previews.make_preview(preview_id)


@handles("examine_recordings", queue=ANALYSIS)
def examine_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    return analysis.examine_recordings(voice_id, lease)


@handles("compare_recordings", queue=ANALYSIS)
def compare_recordings(voice_id: str, lease: Lease) -> None:
    analysis.compare_recordings(voice_id, lease)


@handles("cut_recording", given_up=cut_given_up, queue=ANALYSIS)
def cut_recording(recording_id: str, lease: Lease) -> None:
    segment.cut_recording(recording_id, lease)
