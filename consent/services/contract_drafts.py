"""The PDF of a contract form that had an error: kept until the form is submitted again, at most for a day."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from consent.models import ContractDraft, Talent
from consent.models.contract_draft import contract_draft_path
from consent.services.legal_hold import query_talents_on_hold
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import CONTRACT_DRAFT_LIFETIME
from voicehub.storage import StorageUnavailable, StoredFileLost, explain_storage_errors, hash_file, open_stored_file

DELETE_FILE_TASK = "delete_contract_draft_file"


def find_draft(pk: str, talent: Talent, owner: User) -> ContractDraft | None:
    """The draft with the id that a form sent. None if it is gone, or if another person uploaded it."""
    with suppress(ValueError):
        return ContractDraft.objects.filter(pk=UUID(pk), talent=talent, owner=owner).first()
    return None


def store_draft(talent: Talent, file: "File[Any]", owner: User) -> ContractDraft | None:
    """Keep a checked file instead of the earlier one of this person. None if the storage could not keep it."""
    name = (file.name or "contract.pdf")[-200:]
    draft = ContractDraft(talent=talent, owner=owner, file_name=name, size=file.size, sha256=hash_file(file))
    try:
        with explain_storage_errors(draft.file):
            draft.file.save(name, file, save=False)
        draft.save(force_insert=True)
    except (StorageUnavailable, StoredFileLost):
        _enqueue_file(draft)  # a part of it may be there
        return None
    except BaseException:
        _delete_partial_file(draft)
        raise
    delete_drafts(ContractDraft.objects.filter(talent=talent, owner=owner).exclude(pk=draft.pk))
    return draft


def _delete_partial_file(draft: ContractDraft) -> None:
    with suppress(StorageUnavailable, StoredFileLost), explain_storage_errors(draft.file):
        draft.file.storage.delete(contract_draft_path(draft, ""))


def read_draft(draft: ContractDraft) -> "File[Any]":
    """The file of a draft under the name it was uploaded with. Raises StoredFileLost if it is not what was kept."""
    with open_stored_file(draft.file) as stored:
        file = ContentFile(stored.read(), draft.file_name)
    if hash_file(file) != draft.sha256:
        raise StoredFileLost("The kept file was changed.")
    return file


def use_draft(draft: ContractDraft) -> None:
    """Delete a draft whose file is now filed. Needs a transaction. Raises ActionRefused if it was used before."""
    if not _delete_row(draft):
        raise ActionRefused("This form was sent before. Look below whether the contract is already filed.")


def delete_drafts(drafts: "QuerySet[ContractDraft]") -> None:
    """Delete these drafts with their files, except those of talents with a legal hold."""
    for draft in drafts.exclude(talent__in=query_talents_on_hold()):
        with transaction.atomic():
            _delete_row(draft)


def delete_old_drafts() -> None:
    """Delete the drafts that were not used within a day."""
    delete_drafts(ContractDraft.objects.filter(created_at__lt=timezone.now() - CONTRACT_DRAFT_LIFETIME))


def _delete_row(draft: ContractDraft) -> bool:
    """Delete the row. A task deletes the file, however long the storage takes."""
    is_deleted, _counts = ContractDraft.objects.filter(pk=draft.pk).delete()
    if is_deleted:
        _enqueue_file(draft)
    return bool(is_deleted)


def _enqueue_file(draft: ContractDraft) -> None:
    outbox.enqueue_task(DELETE_FILE_TASK, f"{draft.talent_id.hex}{draft.pk.hex}")


def delete_file(ids: str) -> None:
    """Delete the file of a draft whose row is gone. `ids` are those of its talent and its own, in hex."""
    draft = ContractDraft(talent_id=UUID(ids[:32]), pk=UUID(ids[32:]))
    if not ContractDraft.objects.filter(pk=draft.pk).exists():
        draft.file.storage.delete(contract_draft_path(draft, ""))
