"""The PDF of a contract form with an error is kept for its owner until the form is submitted again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.utils import timezone

from consent.models import Contract, ContractDraft, Talent
from consent.services.contract_drafts import DELETE_FILE_TASK, delete_old_drafts
from consent.services.legal_hold import DRAFTS_TASK, release_hold, set_hold
from consent.services.review import withdraw_consent
from tests.consent.rows import PDF, ConsentFactory, get_url, make_terms, make_upload, read_page
from tests.support.html import read_html
from tests.support.pdfs import make_pdf
from tests.support.task_runner import run_due_tasks
from voicehub.models import Task, TaskStatus, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]

KEPT = "signed.pdf is kept"
LOST = "The file is no longer kept. Choose it again."


def post_form(client: Client, talent: Talent, file: bytes | None = None, **fields: Any) -> Any:
    terms = {**make_terms(), **fields}
    if file is not None:
        terms["file"] = make_upload(file, "signed.pdf", "application/pdf")
    return client.post(get_url("contract_add", talent), terms)


def keep_file(client: Client, talent: Talent, file: bytes = PDF) -> ContractDraft:
    """Submit a form whose only error is a missing company."""
    response = post_form(client, talent, file, company="")
    assert KEPT in read_html(response)
    return ContractDraft.objects.latest("created_at")


def read_path(draft: ContractDraft) -> Path:
    return Path(draft.file.path)


def is_deleted(draft: ContractDraft) -> bool:
    """Whether the file is gone when the tasks have run."""
    run_due_tasks(DELETE_FILE_TASK)
    return not read_path(draft).exists()


@pytest.fixture
def talent(factory: ConsentFactory) -> Talent:
    return factory.make_talent()


def test_file_survives_an_error_and_is_filed_with_the_next_form(producer_client: Client, talent: Talent) -> None:
    draft = keep_file(producer_client, talent)
    assert (draft.file_name, draft.size) == ("signed.pdf", len(PDF)) and read_path(draft).read_bytes() == PDF
    page = read_html(post_form(producer_client, talent, company="", draft=draft.pk))
    assert KEPT in page and get_url("contract_draft", draft) in page and f'value="{draft.pk}"' in page
    assert post_form(producer_client, talent, draft=draft.pk).status_code == 302
    contract = Contract.objects.get()
    assert (contract.file_name, contract.sha256, contract.file_problem) == ("signed.pdf", draft.sha256, "")
    assert Path(contract.file.path).read_bytes() == PDF
    assert not ContractDraft.objects.exists() and is_deleted(draft)


def test_refused_file_is_not_kept(producer_client: Client, talent: Talent) -> None:
    page = read_html(post_form(producer_client, talent, b"no PDF", company=""))
    assert "This is not a PDF." in page and "is kept" not in page
    assert not ContractDraft.objects.exists()


def test_new_file_replaces_the_kept_one(producer_client: Client, talent: Talent) -> None:
    first, other = keep_file(producer_client, talent), make_pdf() + b"\n"
    response = post_form(producer_client, talent, other, company="", draft=first.pk)
    draft = ContractDraft.objects.get()
    assert draft != first and f'value="{draft.pk}"' in read_html(response) and is_deleted(first)
    newest = other + b"\n"
    assert post_form(producer_client, talent, newest, draft=draft.pk).status_code == 302
    assert Path(Contract.objects.get().file.path).read_bytes() == newest
    assert not ContractDraft.objects.exists() and is_deleted(draft)


def test_refused_replacement_leaves_the_kept_file(producer_client: Client, talent: Talent) -> None:
    draft = keep_file(producer_client, talent)
    page = read_html(post_form(producer_client, talent, b"no PDF", draft=draft.pk))
    assert "This is not a PDF." in page and KEPT in page
    assert ContractDraft.objects.get() == draft and not Contract.objects.exists()


def test_kept_file_is_used_once(producer_client: Client, talent: Talent, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = keep_file(producer_client, talent)
    assert post_form(producer_client, talent, draft=draft.pk).status_code == 302
    page = read_html(post_form(producer_client, talent, draft=draft.pk))
    assert LOST in page and Contract.objects.count() == 1
    # Both forms were sent at once: the second one read the draft before the first one used it.
    kept = keep_file(producer_client, talent)
    monkeypatch.setattr("consent.views.contracts.find_draft", lambda *_arguments: kept)
    monkeypatch.setattr("consent.forms.read_draft", lambda _draft: make_upload(PDF, "signed.pdf"))
    ContractDraft.objects.all().delete()
    response = producer_client.post(get_url("contract_add", talent), {**make_terms(), "draft": kept.pk}, follow=True)
    assert "This form was sent before." in read_html(response) and Contract.objects.count() == 1


@pytest.mark.parametrize("value", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_unknown_draft_asks_for_the_file(producer_client: Client, talent: Talent, value: str) -> None:
    page = read_html(post_form(producer_client, talent, draft=value))
    assert (LOST if value else "This field is required.") in page and not Contract.objects.exists()


def test_only_the_owner_uses_and_opens_a_draft(
    client: Client, producer_client: Client, make_person: Any, talent: Talent, factory: ConsentFactory
) -> None:
    draft = keep_file(producer_client, talent)
    response = producer_client.get(get_url("contract_draft", draft))
    assert b"".join(response) == PDF and response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    client.force_login(make_person("other", "producer"))
    assert client.get(get_url("contract_draft", draft)).status_code == 404
    assert LOST in read_html(post_form(client, talent, draft=draft.pk))
    other_talent = factory.make_talent("Theo Brand", "theo@people.test")
    assert LOST in read_html(post_form(producer_client, other_talent, draft=draft.pk))
    assert ContractDraft.objects.get() == draft and not Contract.objects.exists()


@pytest.mark.parametrize("content", [None, b"", PDF + b"\n"])
def test_lost_or_changed_draft_is_not_filed(producer_client: Client, talent: Talent, content: bytes | None) -> None:
    draft = keep_file(producer_client, talent)
    read_path(draft).unlink()
    if content is not None:
        read_path(draft).write_bytes(content)
    page = read_html(post_form(producer_client, talent, draft=draft.pk))
    assert LOST in page and "is kept" not in page and not Contract.objects.exists()


def test_full_storage_is_said_beside_the_field(
    producer_client: Client, talent: Talent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", fail)
    page = read_html(post_form(producer_client, talent, PDF, company=""))
    assert "The file could not be kept. Choose it again." in page and not ContractDraft.objects.exists()


def test_one_file_is_kept_for_each_talent_and_person(
    client: Client, producer_client: Client, make_person: Any, factory: ConsentFactory, talent: Talent
) -> None:
    client.force_login(make_person("other", "producer"))
    others = [keep_file(client, talent), keep_file(producer_client, factory.make_talent("Theo", "theo@people.test"))]
    first, second = keep_file(producer_client, talent), keep_file(producer_client, talent)
    assert set(ContractDraft.objects.all()) == {second, *others}
    assert is_deleted(first) and not any(map(is_deleted, [second, *others]))


def test_file_is_deleted_when_the_storage_answers_again(
    producer_client: Client, talent: Talent, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = keep_file(producer_client, talent)

    def fail(*_arguments: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", fail)
        assert post_form(producer_client, talent, draft=draft.pk).status_code == 302
        assert not is_deleted(draft) and not ContractDraft.objects.exists()
    Task.objects.filter(kind=DELETE_FILE_TASK, status=TaskStatus.WAITING).update(due_at=timezone.now())
    assert is_deleted(draft)


def test_draft_is_deleted_after_a_day(
    client: Client, producer_client: Client, make_person: Any, talent: Talent, producer: User
) -> None:
    client.force_login(make_person("other", "producer"))
    old, new = keep_file(client, talent), keep_file(producer_client, talent)
    ContractDraft.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    set_hold(talent, producer, "A lawsuit.")
    delete_old_drafts()
    assert ContractDraft.objects.count() == 2, "a legal hold keeps everything"
    Task.objects.create(kind=DRAFTS_TASK, object_id="all", due_at=timezone.now() + timedelta(minutes=59))
    release_hold(talent, producer, "Settled.")
    run_due_tasks(DRAFTS_TASK, once=DRAFTS_TASK)
    assert ContractDraft.objects.get() == new
    assert is_deleted(old) and read_path(new).exists()


def test_withdrawal_deletes_the_drafts_of_the_talent(producer_client: Client, factory: ConsentFactory) -> None:
    consent, other = factory.make_approved_consent(), factory.make_talent("Theo Brand", "theo@people.test")
    draft, kept = keep_file(producer_client, consent.talent), keep_file(producer_client, other)
    withdraw_consent(consent, factory.producer, "On the phone.")
    assert ContractDraft.objects.get() == kept and is_deleted(draft)


def test_only_the_contract_form_may_frame_a_pdf(producer_client: Client, talent: Talent) -> None:
    policy = producer_client.get(get_url("contract_add", talent)).headers["Content-Security-Policy"]
    assert "frame-src blob:;" in f"{policy};" and "object-src 'none'" in policy
    assert "frame-src" not in producer_client.get(talent.get_absolute_url()).headers["Content-Security-Policy"]
    assert 'name="draft"' not in read_page(producer_client, get_url("contract_add", talent))
