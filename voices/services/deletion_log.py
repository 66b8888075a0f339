"""What the audit log of a consent says about the deletion of a remote voice and of the files that were sent for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext, ngettext

from consent.models import Consent
from consent.services import deletions
from consent.services.deletions import DeletionSubject
from providers import registry
from voicehub.models import User
from voicehub.text import join_with_and
from voices.models import Build, FileKind, RemoteFile, RemoteRecording, RemoteVoice


def describe_voice(remote: RemoteVoice) -> str:
    """“Voice and its 3 recordings”, or only “Voice” if the recordings were sent in one file or as files."""
    count = count_own_recordings(remote)
    if not count:
        return gettext("Voice")
    return ngettext("Voice and its {count} recording", "Voice and its {count} recordings", count).format(count=count)


def count_own_recordings(remote: RemoteVoice) -> int:
    """The recordings that are part of the voice. Recordings with files of their own are deleted with their files."""
    return query_own_recordings(remote).count()


def query_own_recordings(remote: RemoteVoice) -> QuerySet[RemoteRecording]:
    return RemoteRecording.objects.filter(remote_voice=remote).exclude(remote_id__in=remote.files.values("remote_id"))


def describe_files(files: Sequence[RemoteFile]) -> str:
    """“28 recordings and the consent file”."""
    consents = sum(file.kind == FileKind.CONSENT for file in files)
    recordings = len(files) - consents
    parts = []
    if recordings:
        parts.append(ngettext("{count} recording", "{count} recordings", recordings).format(count=recordings))
    if consents:
        parts.append(ngettext("the consent file", "{count} consent files", consents).format(count=consents))
    text = join_with_and(parts)
    return text[:1].upper() + text[1:]


def lock_consents(remote: RemoteVoice) -> None:
    """Lock the consents in whose audit logs a deletion is recorded, in the caller's transaction.

    Call it before any row of a build or of a remote voice is locked: a withdrawal locks them in the same order.
    """
    if remote.voice:
        deletions.lock_consents(remote.voice.talent_id)


def record_voice_request(remote: RemoteVoice, by: User | None, cause: Consent | None = None) -> None:
    """`cause` is the consent that was withdrawn."""
    subject = _make_voice_subject(remote)
    deletions.record_deletion_request(_list_consents(remote, subject, cause), subject, by)


def record_voice_deletion(remote: RemoteVoice, by: User | None = None) -> None:
    subject = _make_voice_subject(remote)
    how = _describe_proof(remote.deletion_proof)
    deletions.record_deletion(_list_consents(remote, subject), subject, remote.deletion_proof, how, by)


def record_file_request(remote: RemoteVoice, requested_at: datetime, cause: Consent | None = None) -> None:
    subject = _make_file_subject(remote, requested_at)
    deletions.record_deletion_request(_list_consents(remote, subject, cause), subject, None)


def record_file_deletion(remote: RemoteVoice, requested_at: datetime, by: User | None = None) -> None:
    """Record that all files of one request are deleted."""
    subject = _make_file_subject(remote, requested_at)
    proofs = list(remote.files.filter(deletion_requested_at=requested_at).values_list("deletion_proof", flat=True))
    how = _describe_proof(proofs[-1] if proofs else {})
    deletions.record_deletion(_list_consents(remote, subject), subject, proofs, how, by)


def _make_voice_subject(remote: RemoteVoice) -> DeletionSubject:
    text = f"{describe_voice(remote)} at {registry.get_provider_label(remote.account.provider)}"
    key, count = f"voice:{remote.pk}", count_own_recordings(remote)
    return DeletionSubject(key, remote.account.provider, text, voices=1, recordings=count)


def _make_file_subject(remote: RemoteVoice, requested_at: datetime) -> DeletionSubject:
    files = list(remote.files.filter(deletion_requested_at=requested_at))
    consents = sum(file.kind == FileKind.CONSENT for file in files)
    text = f"{describe_files(files)} at {registry.get_provider_label(remote.account.provider)}"
    key = f"files:{remote.pk}:{requested_at.isoformat()}"
    recordings = len(files) - consents
    return DeletionSubject(key, remote.account.provider, text, recordings=recordings, consent_files=consents)


def _list_consents(remote: RemoteVoice, subject: DeletionSubject, cause: Consent | None = None) -> Sequence[Consent]:
    """The consents that the voice was built on, and those whose end caused its deletion."""
    built = Q(pk__in=Build.objects.filter(remote_voice=remote).values("consent"))
    caused = Q(pk__in=deletions.query_requested_consents(subject.key))
    rows = Consent.objects.filter(built | caused | Q(pk=cause.pk if cause else None))
    return list(rows.select_related("talent"))


def _describe_proof(proof: Mapping[str, Any]) -> dict[str, Any]:
    """How a deletion was confirmed: the provider's answer code and the look-up's result, or a person's reason."""
    return {name: proof[name] for name in ("code", "look", "reason") if name in proof}
