"""Mails to the producer before a contract ends."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from consent.models import Contract, ContractNotice
from consent.services.contacts import get_staff_address
from voicehub import outbox
from voicehub.viewer import view_as


def announce_contract_ends() -> int:
    """Enqueue the notices that are due: 60, 30 and 7 days before the last day. Return their number.

    A contract that another one replaces needs none. If several numbers of days have passed, only the smallest counts.
    """
    today = timezone.localdate()
    last_day = today + timedelta(days=max(ContractNotice.DAYS))
    ending = Contract.objects.filter(ends_on__range=(today, last_day), superseded_by__isnull=True)
    return sum(_announce_end(contract) for contract in ending.select_related("filed_by"))


def _announce_end(contract: Contract) -> bool:
    left = (contract.ends_on - timezone.localdate()).days if contract.ends_on else 0
    days = next(number for number in ContractNotice.DAYS if left <= number)
    address = get_staff_address(contract.filed_by)
    with transaction.atomic():
        notice, is_new = ContractNotice.objects.get_or_create(
            contract=contract, days=days, defaults={"sent_to": address}
        )
        if is_new:
            outbox.enqueue_task("send_contract_notice", notice.pk)
    return is_new


def send_contract_notice(notice_id: str) -> None:
    """Send a stored notice. Nothing is sent if it was sent, or another contract replaces this one meanwhile."""
    rows = ContractNotice.objects.select_related("contract__talent", "contract__filed_by").filter(
        pk=notice_id, sent_at=None
    )
    notice = rows.filter(contract__superseded_by__isnull=True).first()
    if notice is None:
        return
    contract = notice.contract
    context = {
        "contract": contract,
        "days": max(0, (contract.ends_on - timezone.localdate()).days) if contract.ends_on else 0,
        "link": settings.VOICEHUB_BASE_URL + contract.get_absolute_url(),
    }
    with view_as(contract.filed_by):
        subject = f"The contract of {contract.talent.shown_name} ends soon"
        text = render_to_string("consent/mail/producer_contract_end.txt", context)
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [notice.sent_to])
    ContractNotice.objects.filter(pk=notice.pk, sent_at=None).update(sent_at=timezone.now())
