"""Background work of this app: each handler hands over to a service."""

from datetime import timedelta

from voicehub import outbox
from voicehub.outbox import LISTENING, Farewell, Lease, handles
from voices import services


def asked_later(kind: str) -> Farewell:
    """For questions that must not end unanswered: they rest for a while, and are asked again."""
    return lambda object_id: outbox.add(kind, object_id, after=services.AFTER_GIVING_UP)


@handles("submit_build", given_up=services.submit_given_up)
def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    return services.submit_build(build_id, lease)


@handles("settle_build", given_up=asked_later("settle_build"))
def settle_build(build_id: str, _lease: Lease) -> timedelta | None:
    return services.settle_build(build_id)


@handles("refresh_build", given_up=asked_later("refresh_build"))
def refresh_build(build_id: str, _lease: Lease) -> timedelta | None:
    return services.refresh_build(build_id)


@handles("delete_remote_voice", given_up=asked_later("delete_remote_voice"))
def delete_remote_voice(remote_voice_id: str, _lease: Lease) -> timedelta | None:
    return services.delete_remote_voice(remote_voice_id)


@handles("make_preview", given_up=services.preview_given_up)
def make_preview(preview_id: str, _lease: Lease) -> timedelta | None:
    return services.make_preview(preview_id)


@handles("examine_recordings", queue=LISTENING)
def examine_recordings(voice_id: str, lease: Lease) -> timedelta | None:
    return services.examine_recordings(voice_id, lease)


@handles("compare_recordings", queue=LISTENING)
def compare_recordings(voice_id: str, lease: Lease) -> None:
    services.compare_recordings(voice_id, lease)


@handles("cut_recording", given_up=services.cut_given_up, queue=LISTENING)
def cut_recording(recording_id: str, lease: Lease) -> None:
    services.cut_recording(recording_id, lease)
