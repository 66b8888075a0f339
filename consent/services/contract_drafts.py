"""The PDF of a contract form that had an error: kept until the form is submitted again, at most for a day."""

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from consent.models import ContractDraft, Talent
from consent.services.legal_hold import query_talents_on_hold
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import CONTRACT_DRAFT_LIFETIME
from voicehub.storage import StorageUnavailable, StoredFileLost, explain_storage_errors, hash_file, open_stored_file


def find_draft(pk: str, talent: Talent, owner: User) -> ContractDraft | None:
    """The draft with the id that a form sent. None if it is gone, or if another person uploaded it."""
    with suppress(ValueError):
        return ContractDraft.objects.filter(pk=UUID(pk), talent=talent, owner=owner).first()
    return None


def store_draft(
    talent: Talent, file: "File[Any]", owner: User, replaced: ContractDraft | None = None
) -> ContractDraft | None:
    """Keep a file that passed `check_pdf`, instead of the draft `replaced`. None if the storage could not keep it."""
    name = (file.name or "contract.pdf")[-200:]
    draft = ContractDraft(talent=talent, owner=owner, file_name=name, size=file.size, sha256=hash_file(file))
    try:
        with explain_storage_errors(draft.file):
            draft.file.save(name, file, save=False)
        draft.save(force_insert=True)
    except (StorageUnavailable, StoredFileLost):
        _delete_partial_file(draft)
        return None
    except BaseException:
        _delete_partial_file(draft)
        raise
    if replaced:
        delete_drafts(ContractDraft.objects.filter(pk=replaced.pk))
    return draft


def _delete_partial_file(draft: ContractDraft) -> None:
    with suppress(StorageUnavailable, StoredFileLost), explain_storage_errors(draft.file):
        draft.file.storage.delete(draft.file.field.generate_filename(draft, draft.file_name))


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
    """Delete the row, and the file after the commit: a file without a row is lost space, a row without one an error."""
    is_deleted, _counts = ContractDraft.objects.filter(pk=draft.pk).delete()
    if is_deleted:
        transaction.on_commit(partial(_delete_file, draft), robust=True)
    return bool(is_deleted)


def _delete_file(draft: ContractDraft) -> None:
    draft.file.storage.delete(str(draft.file.name))
