"""Background work of this app: each handler hands over to a service."""

from datetime import timedelta

from consent.services import invitations, take_checks
from consent.services.review import expire_due
from consent.services.take_checks import check_given_up
from voicehub.outbox import TAKES, Lease, handles
from voicehub.retry_policy import CONSENT_EXPIRY_INTERVAL


@handles("send_invitation")
def send_invitation(invitation_id: str, _lease: Lease) -> None:
    invitations.send_invitation(invitation_id)


@handles("check_take", given_up=check_given_up, queue=TAKES)
def check_take(take_id: str, _lease: Lease) -> None:
    take_checks.check_take(take_id)


@handles("expire_consents")
def expire_consents(_scope: str, _lease: Lease) -> timedelta:
    expire_due()
    return CONSENT_EXPIRY_INTERVAL
