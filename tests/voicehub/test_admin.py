"""The Django admin lists every model, cannot change evidence, and never shows an API key."""

import re

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import LanguageRelease, Pronunciation, Statement, Talent
from tests.support.html import read_html
from voicehub import outbox
from voicehub.admin_base.groups import GROUPS
from voicehub.models import Task, TaskStatus, ThresholdOverride, User
from voices.models import Account, LimitOverride
from voices.services.accounts import pause_account

pytestmark = pytest.mark.django_db

EDITABLE_MODELS = {
    User, Talent, Statement, LanguageRelease, Account, LimitOverride, Pronunciation, ThresholdOverride,
}  # fmt: skip
MODELS = list(admin.site._registry)


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def make_url(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_list_in_the_admin_opens_and_can_be_searched(admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(make_url(model, "changelist"), {"q": "anything"}).status_code == 200


@pytest.mark.parametrize(
    "model",
    # The admin page of django-rq shows the queue and has no rows.
    [model for model in MODELS if model not in EDITABLE_MODELS and model._meta.app_label != "django_rq"],
    ids=lambda model: model.__name__,
)
def test_models_of_evidence_are_read_only_in_the_admin(admin_client: Client, model: type[Model]) -> None:
    assert admin_client.get(make_url(model, "add")).status_code == 403
    assert not admin.site._registry[model].has_change_permission(
        admin_client.get(make_url(model, "changelist")).wsgi_request
    )
    assert not admin.site._registry[model].has_delete_permission(
        admin_client.get(make_url(model, "changelist")).wsgi_request
    )


@pytest.mark.parametrize("fixture", ["producer", "engineer", "viewer", "outsider"])
def test_roles_other_than_admin_cannot_open_the_admin(
    client: Client, fixture: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(fixture))
    response = client.get(reverse("admin:index"))
    assert response.status_code == 302
    assert client.get(reverse("admin:login")).status_code == 403


def test_admin_shows_only_the_last_characters_of_a_saved_api_key(admin_client: Client) -> None:
    form = {"name": "Main", "provider": "resemble_v2", "mode": "live", "active": "on", "key": "canary-key-7391"}
    assert admin_client.post(make_url(Account, "add"), form).status_code == 302
    account = Account.objects.get()
    assert account.decrypt_key() == "canary-key-7391"
    assert "canary" not in account.encrypted_key
    html = admin_client.get(make_url(Account, "change", account.pk)).content.decode()
    assert "canary-key" not in html
    assert account.encrypted_key not in html
    assert "7391" in html


def test_saving_account_without_a_key_keeps_its_key(admin_client: Client) -> None:
    account = Account(name="Main", provider="resemble_v2")
    account.set_key("canary-key-7391")
    account.save()
    form = {"name": "Other name", "provider": "resemble_v2", "mode": "live", "active": "on", "key": ""}
    admin_client.post(make_url(Account, "change", account.pk), form)
    account.refresh_from_db()
    assert (account.name, account.decrypt_key()) == ("Other name", "canary-key-7391")


@pytest.mark.parametrize(("key", "is_kept"), [("canary-key-8402", False), ("", True)])
def test_only_a_changed_key_clears_the_last_check_and_error(admin_client: Client, key: str, is_kept: bool) -> None:
    account = Account(name="Main", provider="resemble_v2", checked_at=timezone.now(), last_error="The key is wrong.")
    account.set_key("canary-key-7391")
    account.save()
    form = {"name": "Main", "provider": "resemble_v2", "mode": "live", "active": "on", "key": key}
    assert admin_client.post(make_url(Account, "change", account.pk), form).status_code == 302
    account.refresh_from_db()
    assert (account.checked_at is not None, account.last_error != "") == (is_kept, is_kept)


def test_account_without_a_key_is_refused(admin_client: Client) -> None:
    form = {"name": "Main", "provider": "resemble_v2", "mode": "live", "active": "on", "key": ""}
    assert b"Enter the API key" in admin_client.post(make_url(Account, "add"), form).content
    assert not Account.objects.exists()


def test_admin_actions_pause_and_resume_accounts(admin_client: Client, admin: User) -> None:
    one, two = (Account(name=name, provider="resemble_v2") for name in ("one", "two"))
    for account in (one, two):
        account.set_key("canary-key-7391")
        account.save()
    pause_account(two, "The invoice is disputed.", admin)
    selection = {"_selected_action": [str(one.pk), str(two.pk)]}
    admin_client.post(make_url(Account, "changelist"), selection | {"action": "pause"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.paused_by, one.pause_reason) == (admin, "Paused by Ada.")
    assert two.pause_reason == "Paused by Ada: The invoice is disputed."
    admin_client.post(make_url(Account, "changelist"), selection | {"action": "resume"})
    assert not Account.objects.filter(paused_at__isnull=False).exists()


def test_text_of_statement_cannot_be_changed(admin_client: Client) -> None:
    statement = Statement.objects.get(provider="resemble_v2", language="en-US")
    text = statement.text
    admin_client.post(make_url(Statement, "change", statement.pk), {"text": "I agree to anything.", "retired": "on"})
    statement.refresh_from_db()
    assert (statement.text, statement.retired) == (text, True)


def test_admin_action_retries_a_failed_task(admin_client: Client, producer: User) -> None:
    task = Task.objects.create(kind="k", object_id="1", status=TaskStatus.FAILED, reason="broken")
    selection = {"action": "retry_tasks", "_selected_action": [str(task.pk)]}
    admin_client.post(make_url(Task, "changelist"), selection)
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING
    assert not outbox.retry_task(task)


def test_first_page_groups_every_model_by_task(admin_client: Client) -> None:
    response = admin_client.get(reverse("admin:index"))
    groups = response.context["app_list"]
    assert [group["name"] for group in groups] == list(GROUPS)
    listed = [entry["model"] for group in groups for entry in group["models"]]
    assert len(listed) == len(MODELS) and set(listed) == set(MODELS)
    assert all(entry["purpose"] for group in groups for entry in group["models"])
    assert ">Queues</a>" in response.content.decode() and "Django-RQ" not in response.content.decode()


def test_rail_opens_the_group_of_the_page(admin_client: Client) -> None:
    page = read_html(admin_client.get(make_url(Task, "changelist")))
    rail = page.partition("vh-top-menu")[0]
    groups = re.findall(r'<details class="vh-nav-group" open><summary class="is-end">([^<]+)<', rail)
    assert groups == ["Background work"]
    assert f'<a href="{make_url(Task, "changelist")}" aria-current="true">Tasks</a>' in rail


def test_values_of_a_list_carry_their_heading_and_the_status_its_tone(admin_client: Client) -> None:
    Task.objects.create(kind="refresh_build", object_id="1", status=TaskStatus.FAILED, reason="<b>")
    page = read_html(admin_client.get(make_url(Task, "changelist")))
    assert '<td data-label="Status" class="field-status"><span class="vh-status is-bad">Failed</span></td>' in page
    assert '<small class="sub">&lt;b&gt;</small>' in page
    assert "<b>" not in page.partition('id="result_list"')[2]


def test_empty_list_has_no_search_and_says_what_it_shows(admin_client: Client) -> None:
    url = reverse("admin:consent_pronunciation_changelist")
    empty = read_html(admin_client.get(url))
    assert "Shown here: Names, and how they sound" in empty and 'id="searchbar"' not in empty
    assert 'id="searchbar"' in read_html(admin_client.get(url, {"q": "nothing has this name"}))


def test_filter_of_a_list_is_a_menu_or_the_choice_that_is_made(admin_client: Client) -> None:
    Task.objects.create(kind="refresh_build", object_id="1", status=TaskStatus.FAILED)
    url = make_url(Task, "changelist")
    page = read_html(admin_client.get(url))
    assert 'Status<span aria-hidden="true">▾</span></summary>' in page
    assert '<a href="?status__exact=failed">Failed</a>' in page
    chosen = read_html(admin_client.get(url, {"status__exact": "failed"}))
    assert 'aria-current="true" href="?">Status: Failed<span' in chosen and "Clear all filters" in chosen
    assert "No task matches these filters" in read_html(admin_client.get(url, {"status__exact": "done"}))


def test_pages_of_the_admin_lead_back_to_the_studio(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert f'<a class="vh-back" href="{reverse("today")}">Back to the studio</a>' in page
    assert "css/admin.css" in page


def test_user_page_does_not_change_what_only_voicehub_writes(admin_client: Client, viewer: User) -> None:
    joined = viewer.date_joined
    url = make_url(User, "change", viewer.pk)
    form = {"username": "vera", "date_joined_0": "2001-01-01", "date_joined_1": "00:00:00", "is_active": "on"}
    assert admin_client.post(url, form).status_code == 302
    viewer.refresh_from_db()
    assert viewer.date_joined == joined


def test_first_page_counts_what_needs_a_person(admin_client: Client) -> None:
    page = read_html(admin_client.get(reverse("admin:index")))
    assert '<span class="vh-status is-good">Nothing</span>' in page
    for number in range(2):
        Task.objects.create(kind="refresh_build", object_id=str(number), status=TaskStatus.FAILED)
    Task.objects.create(kind="refresh_build", object_id="3", status=TaskStatus.FAILED, seen_at=timezone.now())
    Account.objects.create(name="Main", provider="resemble_v2", last_error="The key is wrong.")
    response = admin_client.get(reverse("admin:index"))
    problems = {problem["text"]: problem["url"] for problem in response.context["problems"]}
    assert set(problems) == {"2 failed tasks", "1 account with a problem"}
    assert problems["2 failed tasks"] in response.content.decode().replace("&amp;", "&")
    assert "2 tasks" in read_html(admin_client.get(problems["2 failed tasks"]))
    assert "1 account" in read_html(admin_client.get(problems["1 account with a problem"]))


def test_row_that_is_edited_shows_what_is_only_read_once(admin_client: Client, talent: Talent) -> None:
    page = read_html(admin_client.get(make_url(Talent, "change", talent.pk)))
    assert page.count("<label>Created by</label>") == 1


def test_page_of_a_row_is_named_for_a_reader_and_folds_many_empty_fields(admin_client: Client) -> None:
    task = Task.objects.create(kind="refresh_build", object_id="1", status=TaskStatus.FAILED, reason="Broken.")
    page = read_html(admin_client.get(make_url(Task, "change", task.pk)))
    assert "<h1>Checking the status of a build</h1>" in page and "Created at" not in page
    assert page.index("<label>Status</label>") < page.index("<label>Reason</label>") < page.index("<label>Kind</label>")
    assert "historylink" not in page


def test_delete_page_counts_only_other_rows(admin_client: Client, viewer: User) -> None:
    page = read_html(admin_client.get(make_url(User, "delete", viewer.pk)))
    assert "This cannot be undone.</p>" in page and "relationship" not in page
