"""Task handlers of the shared app."""

from voicehub.outbox import Lease, register_handler
from voicehub.sign_in.mails import TASK, send_security_mail


@register_handler(TASK)
def send_security_mail_task(event_id: str, _lease: Lease) -> None:
    send_security_mail(event_id)
