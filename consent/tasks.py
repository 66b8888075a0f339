"""Background work of this app: each handler hands over to a service."""

from datetime import timedelta

from consent import services
from voicehub.outbox import LISTENING, Lease, handles


@handles("send_invitation")
def send_invitation(invitation_id: str, _lease: Lease) -> None:
    services.send_invitation(invitation_id)


@handles("check_take", given_up=services.check_given_up, queue=LISTENING)
def check_take(take_id: str, _lease: Lease) -> None:
    services.check_take(take_id)


@handles("expire_consents")
def expire_consents(_scope: str, _lease: Lease) -> timedelta:
    services.expire_due()
    return timedelta(hours=1)
