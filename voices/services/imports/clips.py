"""Store the clips of an import: their rows, and their files under the names that those of the recordings have."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.storage import Storage
from django.db import DatabaseError, transaction

from audio.findings.templates import Severity
from voicehub.json_fields import write_small_numbers
from voicehub.outbox import LeaseLost
from voicehub.storage import private, store_local_file
from voicehub.transitions import move, move_all
from voices.models import Import, ImportClip, ImportClipState, ImportFile, ImportFileKind, ImportFileStatus, Recording
from voices.models.import_clips import make_clip_id, make_clip_path, make_clip_wav_path
from voices.models.imports import NAME_LENGTH
from voices.services.imports.rows import lock_open

BATCH_SIZE = 50
# What of the child's result is stored.
FIELDS = (
    "sha256", "size", "seconds", "sample_rate", "findings", "levels", "peaks", "fine_peaks", "wav_sha256", "recipe"
)  # fmt: skip
# Long lists, which nothing reads before they are stored.
WAVEFORMS = ("peaks", "fine_peaks")


@dataclass(frozen=True, slots=True)
class CheckedSound:
    """A file that was checked: what it is of its source, where its bytes are, and the converted WAV if there is one.

    `is_spare`: its bytes are in a temporary folder.
    """

    source: ImportFile
    position: int
    name: str
    is_usable: bool
    has_sound: bool
    fields: Mapping[str, Any]
    path: Path | None
    wav: Path | None = None
    is_spare: bool = False


def keep_no_lease() -> None:
    """For callers without a lease."""


def store_clips(
    import_set: Import,
    sounds: Sequence[CheckedSound],
    finished: Sequence[ImportFile] = (),
    keep_lease: Callable[[], object] = keep_no_lease,
) -> int:
    """Store these clips, and mark the files that are finished with them as checked, in one transaction.

    Returns the bytes of the WAVs that it stored. What of the clips is in a temporary folder is deleted there.
    Raises ActionRefused, and stores nothing, if the import is not open anymore. `keep_lease` is called after each file
    that is copied. If it raises LeaseLost, the files stay: another worker stores the same ones.
    """
    earlier = _find_recordings(import_set, [str(sound.fields.get("sha256", "")) for sound in sounds])
    clips = [_make_clip(import_set, sound, earlier) for sound in sounds]
    storage = private()
    placed = [(clip, sound) for clip, sound in zip(clips, sounds, strict=True) if clip.status == ImportClipState.READY]
    try:
        for clip, sound in placed:
            _store_files(storage, clip, sound)
            keep_lease()
        with transaction.atomic():
            lock_open(import_set)
            ImportClip.objects.bulk_create(clips)
            move_all(finished, ImportFileStatus.CHECKED, kind=ImportFileKind.AUDIO, findings=[])
    except LeaseLost:
        raise
    except BaseException:
        with suppress(OSError, DatabaseError):
            _delete_unstored([clip for clip, _sound in placed])
        raise
    for sound in sounds:
        delete_temporary(sound)
    return sum(clip.wav_size for clip in clips)


def delete_temporary(sound: CheckedSound) -> None:
    """Delete what is left of it in a temporary folder: a duplicate is not moved, and another disk gets a copy."""
    for path in (sound.wav, sound.path if sound.is_spare else None):
        if path:
            path.unlink(missing_ok=True)


def mark_checked(file: ImportFile, kind: ImportFileKind, **fields: Any) -> None:
    """The file needs no further check. `fields` say what was found about it as a whole."""
    move(file, ImportFileStatus.CHECKED, kind=kind, **fields)


def _delete_unstored(clips: Sequence[ImportClip]) -> None:
    """Delete the files of clips without a row. Another worker may have stored some of them meanwhile."""
    ids = [clip.pk for clip in clips]
    stored = set(ImportClip.objects.filter(pk__in=ids).values_list("pk", flat=True))
    stored |= set(Recording.objects.filter(pk__in=ids).values_list("pk", flat=True))
    delete_paths(path for clip in clips if clip.pk not in stored for path in clip.list_paths())


def delete_paths(paths: Iterable[str]) -> None:
    storage = private()
    for path in paths:
        storage.delete(path)


def _find_recordings(import_set: Import, hashes: Sequence[str]) -> dict[str, Recording]:
    rows = Recording.objects.filter(voice=import_set.voice_id, sha256__in=hashes).only("sha256")
    return {row.sha256: row for row in rows}


def _make_clip(import_set: Import, sound: CheckedSound, earlier: Mapping[str, Recording]) -> ImportClip:
    fields = {name: sound.fields[name] for name in FIELDS if name in sound.fields}
    fields |= {name: write_small_numbers(fields[name]) for name in WAVEFORMS if name in fields}
    is_too_long = not sound.is_usable and sound.has_sound and _list_codes(fields, Severity.ERROR) == ["too_long"]
    is_refused = not (sound.is_usable or is_too_long) or sound.path is None
    recording = None if is_refused else earlier.get(fields.get("sha256", ""))
    found = ImportClipState.DUPLICATE if recording else ImportClipState.READY
    return ImportClip(
        id=make_clip_id(sound.source, sound.position),
        import_set=import_set,
        source=sound.source,
        position=sound.position,
        name=sound.name[-NAME_LENGTH:],
        is_usable=sound.is_usable,
        is_long=is_too_long or "long" in _list_codes(fields, Severity.WARNING),
        recording=recording,
        status=ImportClipState.REFUSED if is_refused else found,
        **fields,
    )


def _list_codes(fields: Mapping[str, Any], severity: Severity) -> list[str]:
    return [finding["code"] for finding in fields.get("findings", ()) if finding["severity"] == severity]


def _store_files(storage: Storage, clip: ImportClip, sound: CheckedSound) -> None:
    if sound.wav:
        clip.wav.name, clip.wav_size = make_clip_wav_path(clip, ""), sound.wav.stat().st_size
        store_local_file(storage, sound.wav, clip.wav.name, is_spare=True)
    assert sound.path is not None  # noqa: S101 - a clip without a path is refused
    clip.file.name = make_clip_path(clip, "")
    store_local_file(storage, sound.path, clip.file.name, is_spare=sound.is_spare)
