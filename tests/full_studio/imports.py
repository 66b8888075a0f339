"""The imports of the full studio: one to review with something of every kind, one being checked, and one added.

They are made by the product from real speech, so that their pages show what a studio sees.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

import numpy as np
import soundfile
from django.utils import timezone

from audio.findings.findings import make_finding
from tests.full_studio.clock import act_ago
from tests.full_studio.people import SENTENCES
from tests.support.clips import SAMPLE_RATE, build_clean_clips
from tests.support.wav import Samples, make_speech_like, make_wav_bytes
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, make_checked_import
from voicehub import outbox
from voicehub.models import Task, User
from voices.models import (
    Import,
    ImportClip,
    ImportClipState,
    ImportFile,
    ImportFileKind,
    ImportFileStatus,
    Recording,
    Voice,
    WorkKind,
    WorkSample,
)
from voices.services.imports.add import start_adding
from voices.services.imports.room import create_import
from voices.services.imports.rows import CHECK_TASK
from voices.services.work_samples import record_work

READY = 64
RUNNING, CHECKED = 1240, 412


@dataclass(frozen=True, slots=True)
class StudioImports:
    """`open` is to be reviewed, `running` is being checked, `added` shows its report."""

    open: Import
    running: Import
    added: Import


def make_imports(voice: Voice, other: Voice, by: User, reviewer: User) -> StudioImports:
    with act_ago(hours=5):
        added = make_checked_import(other, by, dict(_list_files(other, "spring", 3)))
        start_adding(added, reviewer)
        add(added)
    with act_ago(minutes=25):
        opened = make_checked_import(voice, by, dict(_list_files(voice, "museum", 0)))
        ImportFile.objects.create(import_set=opened, name="session 3/line-090.wav", size=4_000_000, received=2_100_000)
    return StudioImports(opened, _make_running(other, by), added)


def _make_running(voice: Voice, by: User) -> Import:
    """A check of many files that a worker has begun."""
    # As a large import takes on a machine with other work, whatever this one takes.
    WorkSample.objects.filter(kind=WorkKind.READING).delete()
    record_work(WorkKind.READING, "", 1.5 * RUNNING, RUNNING)
    running = create_import(voice, by)
    ImportFile.objects.bulk_create(
        ImportFile(
            import_set=running, name=f"night shift/line-{number:04}.wav", size=400_000, received=400_000,
            status=ImportFileStatus.CHECKED if number < CHECKED else ImportFileStatus.UPLOADED,
            kind=ImportFileKind.AUDIO if number < CHECKED else "",
        )
        for number in range(RUNNING)
    )  # fmt: skip
    _make_clips(running)
    started = timezone.now() - timedelta(seconds=9)
    Import.objects.filter(pk=running.pk).update(work_started_at=started, work_done=CHECKED, work_total=RUNNING)
    outbox.enqueue_task(CHECK_TASK, running.pk)
    until = timezone.now() + timedelta(hours=1)
    Task.objects.filter(kind=CHECK_TASK, object_id=str(running.pk)).update(lease_until=until, lease=running.pk)
    return running


def _make_clips(running: Import) -> None:
    """What the check has found so far: recordings, and a few files that cannot be used."""
    short, quiet_end = make_finding("too_short", seconds=0.4, limit=1), make_finding("silence_at_end", seconds=2.3)
    found = {2: quiet_end, 61: short, 199: short, 340: short}
    files = running.files.filter(status=ImportFileStatus.CHECKED).order_by("name")
    ImportClip.objects.bulk_create(
        ImportClip(
            import_set=running, source=file, name=file.name, size=file.size,
            seconds=0.4 if found.get(number) is short else 4.2 + number % 5, is_usable=found.get(number) is not short,
            status=ImportClipState.REFUSED if found.get(number) is short else ImportClipState.READY,
            findings=[found[number].as_dict()] if number in found else [],
        )
        for number, file in enumerate(files)
    )  # fmt: skip


def _list_files(voice: Voice, word: str, shift: int) -> Iterator[tuple[str, bytes]]:
    takes, texts = _make_takes(shift), cycle(SENTENCES)
    lines = list(_list_earlier_lines(voice))
    for number in range(1, READY + 1):
        name = f"{word}-{number:03}.wav"
        yield f"session 3/{name}", make_wav_bytes(next(takes))
        if number % 9 != 4:
            lines.append(f"{name}|{next(texts)}")
    for number in (2, 4):  # one with a transcript and one without
        first = make_wav_bytes(list(_make_takes(shift))[number - 1])
        yield f"session 3/again/{word}-{number:03} copy.wav", first
    yield from _list_other_formats(word, takes)
    yield "session 3/too short.wav", make_wav_bytes(next(takes)[:9000])
    yield "session 3/broken upload.wav", b"RIFF\x24\x00\x00\x00WAVE"
    yield "session 3/warm-up, whole morning.wav", make_wav_bytes(make_speech_like(64.0, SAMPLE_RATE, 120.0 + shift))
    lines += [f"{word}-{number:03}.wav|{next(texts)}" for number in (91, 92, 93)]
    yield "session 3/metadata.csv", "\n".join(lines).encode()
    yield "retakes.zip", _pack_retakes(takes, texts)
    yield "ids without zeros.csv", b"7;" + next(texts).encode() + b"\n8;" + next(texts).encode() + b"\n"
    yield "007.wav", make_wav_bytes(next(takes))
    yield "008.wav", make_wav_bytes(next(takes))
    yield from {
        "cover photo.jpg": b"\xff\xd8\xff", "old takes.7z": b"7z\xbc\xaf\x27\x1c", "notes.txt": b"Tea at four.\n",
        f"session 3/{word}-001.reapeaks": b"RPKN", "session 3/.DS_Store": b"\0",
    }.items()  # fmt: skip


def _make_takes(shift: int) -> Iterator[Samples]:
    """Speech that is the same in each run, and another take each time."""
    clips = list(build_clean_clips().values())[:30]
    for number in range(200):
        yield clips[number % len(clips)] * (0.97 - 0.01 * shift - 0.04 * (number // len(clips)))


def _list_other_formats(word: str, takes: Iterator[Samples]) -> Iterator[tuple[str, bytes]]:
    for number, kind in ((71, "FLAC"), (72, "FLAC"), (73, "OGG")):
        buffer, take = io.BytesIO(), next(takes)
        stereo = np.stack((take, take), axis=1) if number == 72 else take
        soundfile.write(buffer, stereo, SAMPLE_RATE, format=kind)
        yield f"session 3/{word}-{number:03}.{kind.lower()}", buffer.getvalue()


def _list_earlier_lines(voice: Voice) -> Iterator[str]:
    """Other texts for recordings that the voice has."""
    for row in Recording.objects.filter(voice=voice).exclude(transcript="").order_by("file_name")[:2]:
        yield f"{row.file_name}|{row.transcript} Thank you."


def _pack_retakes(takes: Iterator[Samples], texts: Iterator[str]) -> bytes:
    """An archive whose names are in an old code page."""
    names = ("Begrüßung.wav", "Öffnungszeiten.wav", "Schluß.wav")
    members = [ZipMember(name.encode("cp850"), make_wav_bytes(next(takes))) for name in names]
    table = "".join(f"{name}|{next(texts)}\n" for name in names).encode("cp850")
    return build_zip(*members, ZipMember(b"liste.csv", table))
