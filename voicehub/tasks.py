"""Task handlers of the shared app."""

from datetime import timedelta

from voicehub.outbox import Lease, register_handler
from voicehub.retry_policy import ACCESS_DATA_INTERVAL
from voicehub.sign_in import retention
from voicehub.sign_in.mails import TASK, send_security_mail


@register_handler(TASK)
def send_security_mail_task(event_id: str, _lease: Lease) -> None:
    send_security_mail(event_id)


@register_handler(retention.TASK, gives_up=False)
def delete_old_access_data(_scope: str, lease: Lease) -> timedelta:
    retention.delete_old_access_data(lease.extend)
    return ACCESS_DATA_INTERVAL
