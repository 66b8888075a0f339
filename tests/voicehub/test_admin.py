"""The admin finds everything, changes no evidence, and never gives a key back."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Pronunciation, Statement, Talent
from voicehub import outbox
from voicehub.models import Task, TaskStatus, ThresholdOverride, User
from voices.models import Account, LimitOverride
from voices.services.accounts import pause_account

pytestmark = pytest.mark.django_db

# django-rq's page shows the queue and has no rows of its own.
EDITED = {User, Talent, Statement, Account, LimitOverride, Pronunciation, ThresholdOverride}
ROWS = list(admin.site._registry)


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def page(row: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_every_list_opens_and_searches(desk: Client, row: type[Model]) -> None:
    assert desk.get(page(row, "changelist"), {"q": "anything"}).status_code == 200


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row not in EDITED and row._meta.app_label != "django_rq"],
    ids=lambda row: row.__name__,
)
def test_evidence_is_only_looked_at(desk: Client, row: type[Model]) -> None:
    assert desk.get(page(row, "add")).status_code == 403
    assert not admin.site._registry[row].has_change_permission(desk.get(page(row, "changelist")).wsgi_request)
    assert not admin.site._registry[row].has_delete_permission(desk.get(page(row, "changelist")).wsgi_request)


@pytest.mark.parametrize("person", ["producer", "engineer", "viewer", "outsider"])
def test_nobody_else_gets_in(client: Client, person: str, request: pytest.FixtureRequest) -> None:
    client.force_login(request.getfixturevalue(person))
    response = client.get(reverse("admin:index"))
    assert response.status_code == 302
    assert client.get(reverse("admin:login")).status_code == 403


def test_a_key_goes_in_and_never_comes_out(desk: Client) -> None:
    form = {"name": "House", "provider": "resemble_v2", "mode": "live", "active": "on", "key": "canary-key-7391"}
    assert desk.post(page(Account, "add"), form).status_code == 302
    account = Account.objects.get()
    assert account.decrypt_key() == "canary-key-7391"
    assert "canary" not in account.encrypted_key
    shown = desk.get(page(Account, "change", account.pk)).content.decode()
    assert "canary-key" not in shown
    assert account.encrypted_key not in shown
    assert "7391" in shown


def test_saving_without_a_key_keeps_the_one_that_is_there(desk: Client) -> None:
    account = Account(name="House", provider="resemble_v2")
    account.set_key("canary-key-7391")
    account.save()
    form = {"name": "Other name", "provider": "resemble_v2", "mode": "live", "active": "on", "key": ""}
    desk.post(page(Account, "change", account.pk), form)
    account.refresh_from_db()
    assert (account.name, account.decrypt_key()) == ("Other name", "canary-key-7391")


@pytest.mark.parametrize(("key", "kept"), [("canary-key-8402", False), ("", True)])
def test_what_was_known_of_the_old_key_is_forgotten_with_it(desk: Client, key: str, kept: bool) -> None:
    account = Account(name="House", provider="resemble_v2", checked_at=timezone.now(), last_error="The key is wrong.")
    account.set_key("canary-key-7391")
    account.save()
    form = {"name": "House", "provider": "resemble_v2", "mode": "live", "active": "on", "key": key}
    assert desk.post(page(Account, "change", account.pk), form).status_code == 302
    account.refresh_from_db()
    assert (account.checked_at is not None, account.last_error != "") == (kept, kept)


def test_an_account_needs_a_key(desk: Client) -> None:
    form = {"name": "House", "provider": "resemble_v2", "mode": "live", "active": "on", "key": ""}
    assert b"Enter the API key" in desk.post(page(Account, "add"), form).content
    assert not Account.objects.exists()


def test_accounts_are_paused_and_resumed(desk: Client, admin: User) -> None:
    one, two = (Account(name=name, provider="resemble_v2") for name in ("one", "two"))
    for account in (one, two):
        account.set_key("canary-key-7391")
        account.save()
    pause_account(two, "The invoice is disputed.", admin)
    chosen = {"_selected_action": [str(one.pk), str(two.pk)]}
    desk.post(page(Account, "changelist"), chosen | {"action": "pause"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.paused_by, one.pause_reason) == (admin, "Paused by Ada.")
    assert two.pause_reason == "Paused by Ada: The invoice is disputed."
    desk.post(page(Account, "changelist"), chosen | {"action": "resume"})
    assert not Account.objects.filter(paused_at__isnull=False).exists()


def test_the_words_of_a_statement_stay_as_they_are(desk: Client) -> None:
    statement = Statement.objects.get(provider="resemble_v2", language="en-US")
    words = statement.text
    desk.post(page(Statement, "change", statement.pk), {"text": "I agree to anything.", "retired": "on"})
    statement.refresh_from_db()
    assert (statement.text, statement.retired) == (words, True)


def test_work_that_was_given_up_is_started_again(desk: Client, producer: User) -> None:
    task = Task.objects.create(kind="k", object_id="1", status=TaskStatus.FAILED, reason="broken")
    chosen = {"action": "retry_tasks", "_selected_action": [str(task.pk)]}
    desk.post(page(Task, "changelist"), chosen)
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING
    assert not outbox.retry_task(task)
