"""Background work of this app: each handler hands over to a service."""

from datetime import timedelta

from voicehub.outbox import Lease, handles
from voices import services


@handles("submit_build")
def submit_build(build_id: str, lease: Lease) -> timedelta | None:
    return services.submit_build(build_id, lease)


@handles("settle_build")
def settle_build(build_id: str, _lease: Lease) -> timedelta | None:
    return services.settle_build(build_id)


@handles("refresh_build")
def refresh_build(build_id: str, _lease: Lease) -> timedelta | None:
    return services.refresh_build(build_id)


@handles("delete_remote_voice")
def delete_remote_voice(remote_voice_id: str, _lease: Lease) -> timedelta | None:
    return services.delete_remote_voice(remote_voice_id)
