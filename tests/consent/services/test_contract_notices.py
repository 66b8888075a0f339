"""Mails to the producer before a contract ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from consent.models import Contract, ContractNotice
from consent.services.contract_notices import announce_contract_ends
from tests.consent.rows import ConsentFactory
from tests.support.task_runner import run_due_tasks

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def contract(factory: ConsentFactory) -> Contract:
    return factory.make_contract(factory.make_talent())


def send_notices(contract: Contract, days_left: int) -> list[Any]:
    """The mails that go out so many days before the contract ends."""
    mail.outbox.clear()
    Contract.objects.filter(pk=contract.pk).update(ends_on=timezone.localdate() + timedelta(days=days_left))
    announce_contract_ends()
    run_due_tasks("send_contract_notice")
    return list(mail.outbox)


def test_producer_is_told_60_30_and_7_days_before_the_end(contract: Contract) -> None:
    announced = [left for left in range(65, -3, -1) if send_notices(contract, left)]
    assert announced == [60, 30, 7]
    assert announce_contract_ends() == 0


def test_only_the_nearest_notice_is_sent_if_several_were_missed(contract: Contract) -> None:
    (sent,) = send_notices(contract, 20)
    assert sent.to == [contract.filed_by.email] and "in 20 days" in str(sent.body)
    assert contract.get_absolute_url() in str(sent.body) and "seven days after it ends" in str(sent.body)
    assert list(ContractNotice.objects.values_list("days", flat=True)) == [30]
    (last,) = send_notices(contract, 0)
    assert ", today." in str(last.body)


def test_contract_that_is_replaced_or_has_no_end_needs_no_notice(factory: ConsentFactory, contract: Contract) -> None:
    assert announce_contract_ends() == 0
    Contract.objects.filter(pk=contract.pk).update(ends_on=timezone.localdate() + timedelta(days=10))
    assert announce_contract_ends() == 1
    factory.make_contract(contract.talent, supersedes=contract)
    run_due_tasks("send_contract_notice")
    assert mail.outbox == []
    assert announce_contract_ends() == 0


def test_studio_is_told_if_the_person_who_filed_the_contract_has_left(contract: Contract) -> None:
    contract.filed_by.is_active = False
    contract.filed_by.save()
    (sent,) = send_notices(contract, 5)
    assert sent.to != [contract.filed_by.email] and len(sent.to) == 1
