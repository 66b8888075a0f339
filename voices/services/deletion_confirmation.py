"""The confirmed deletion of a remote voice: its row, its recordings and the audit log, in one transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from voicehub.models import User
from voices.models import RemoteVoice
from voices.services.deletion_log import lock_consents, query_own_recordings, record_voice_deletion
from voices.services.deletion_reports import report_deletion
from voices.services.file_deletion import request_file_deletion


def confirm_voice_deletion(remote: RemoteVoice, proof: Mapping[str, Any], by: User | None = None) -> bool:
    """Mark the voice as deleted, with its recordings. Its files, if it has any, are deleted next.

    False if it was already marked. Then nothing is written, so that the audit log has one entry.
    """
    now = timezone.now()
    fields: dict[str, Any] = {
        "deleted_at": now,
        "deletion_proof": dict(proof),
        "alert": "",
        "retired_at": remote.retired_at or now,
    }
    with transaction.atomic():
        lock_consents(remote)
        if not RemoteVoice.objects.filter(pk=remote.pk, deleted_at=None).update(**fields):
            return False
        for name, value in fields.items():
            setattr(remote, name, value)
        query_own_recordings(remote).filter(deleted_at=None).update(deleted_at=now)
        record_voice_deletion(remote, by)
        request_file_deletion(remote)
        report_deletion(remote)
    return True
