"""Delete files of clips that no row names: those of a check that is repeated, and of workers that were killed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from audio.archives.limits import ARCHIVE_LIMITS
from voicehub.storage import list_folder, private
from voices.models import Import, ImportClipState, ImportFile, ImportFileKind, ImportFileStatus, Recording
from voices.models.import_clips import make_clip_id
from voices.services.imports.clips import delete_paths
from voices.services.imports.kinds import read_kind


def delete_earlier_contents(file: ImportFile) -> None:
    """Delete what an earlier check of this archive stored and no row names. Only for a worker with the lease."""
    stored = _list_stored(file.import_set)
    kept = set(file.clips.values_list("pk", flat=True))
    _delete(stored, _make_member_ids(file) - kept)
    folder = f"imports/{file.import_set_id}/{file.pk}"
    named = set(file.texts.exclude(content="").values_list("content", flat=True))
    paths = {f"{folder}/{name}" for name in list_folder(private(), folder)[1] if name.endswith(".text")}
    delete_paths(sorted(paths - named))


def delete_clip_files(import_set: Import) -> None:
    """Delete the files of all clips that became no recording, also of those that a killed worker stored no row of."""
    stored = _list_stored(import_set)
    own = set(import_set.clips.exclude(status=ImportClipState.ADDED).values_list("pk", flat=True))
    left = stored.keys() - own
    # Others have rows of their clips. Mostly nothing is left, or only what other imports are storing.
    for file in import_set.files.filter(status=ImportFileStatus.UPLOADED).exclude(file=""):
        if not left:
            break
        own |= left & _make_ids(file)
        left -= own
    _delete(stored, own)


def _list_stored(import_set: Import) -> Mapping[UUID, list[str]]:
    """The paths in the voice's folder by the id in their names, but those of recordings."""
    folder = f"recordings/{import_set.voice_id}"
    found: dict[UUID, list[str]] = defaultdict(list)
    for name in list_folder(private(), folder)[1]:
        with suppress(ValueError):
            found[UUID(name.partition(".")[0])].append(f"{folder}/{name}")
    # Asked after the listing, so that what is added meanwhile is kept.
    for pk in Recording.objects.filter(voice=import_set.voice_id).values_list("pk", flat=True):
        found.pop(pk, None)
    return found


def _delete(stored: Mapping[UUID, list[str]], ids: Iterable[UUID]) -> None:
    delete_paths(path for pk in ids for path in stored.get(pk, ()))


def _make_ids(file: ImportFile) -> set[UUID]:
    """The ids of the clips that a check of this file makes."""
    try:
        is_archive = read_kind(file) == ImportFileKind.ARCHIVE
    except FileNotFoundError:
        is_archive = file.kind == ImportFileKind.ARCHIVE
    return _make_member_ids(file) if is_archive else {make_clip_id(file, 0)}


def _make_member_ids(file: ImportFile) -> set[UUID]:
    return {make_clip_id(file, position) for position in range(1, ARCHIVE_LIMITS.files + 1)}
