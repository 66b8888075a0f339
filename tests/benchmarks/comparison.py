"""Measures what a change costs in a voice with many recordings: `python -m tests.benchmarks.comparison`.

For each change it prints the seconds and the opened files in a voice of N and of 4 N recordings, and the ratios. The
last line is a comparison that listens to all, which each of these changes caused before results were kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import uuid4

from tests.benchmarks.pages import make_temporary_studio

if TYPE_CHECKING:
    from tests.benchmarks.rows import StudioRows
    from voices.models import Voice

RECORDINGS = 250
SAMPLE = "slt-01"


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    opened_files: int


def make_voice(rows: "StudioRows", count: int) -> "Voice":
    """Make a voice whose recordings have the same file, under names of their own."""
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from tests.consent.rows import allow_comparison
    from tests.support.wav import load_sample_wav
    from voices.models import Recording

    voice = rows.make_voice(count)
    allow_comparison(voice.talent)
    storage = Recording(voice=voice).file.storage
    source = Path(storage.path(storage.save(f"recordings/{voice.pk}/source.wav", ContentFile(load_sample_wav(SAMPLE)))))
    recordings = list(voice.recordings.all())
    for row in recordings:
        row.file, row.analyzed_at = f"recordings/{voice.pk}/{row.pk}.wav", timezone.now()
        Path(storage.path(row.file.name)).hardlink_to(source)
    Recording.objects.bulk_update(recordings, ["file", "analyzed_at"], batch_size=200)
    return voice


def compare(voice: "Voice") -> None:
    from voicehub import outbox
    from voicehub.models import Task
    from voices.services.recordings.comparison import compare_recordings

    lease = outbox.claim_task(str(Task.objects.create(kind="benchmark", object_id=str(uuid4())).pk))
    assert lease
    while compare_recordings(str(voice.pk), lease) is not None:
        pass


def measure(voice: "Voice", change: Callable[["Voice"], None]) -> Cost:
    """Measure a change together with the comparison that follows it."""
    from voices.models import Recording

    storage = Recording(voice=voice).file.storage
    with patch.object(storage, "open", wraps=storage.open) as open_file:
        start = time.perf_counter()
        change(voice)
        compare(voice)
        return Cost(time.perf_counter() - start, open_file.call_count)


def edit_transcript(voice: "Voice") -> None:
    from voices.services.recordings.store import set_transcript

    set_transcript(voice.recordings.all()[0], "It costs 5 % more.")


def delete_one(voice: "Voice") -> None:
    from voices.services.recordings.store import delete_recording

    delete_recording(voice.recordings.all()[1])


def add_one(voice: "Voice") -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.utils import timezone

    from tests.support.wav import load_sample_wav
    from voices.services.recordings.store import add_recording

    file = SimpleUploadedFile("guest.wav", load_sample_wav("rms-01"), content_type="audio/wav")
    add_recording(voice, file, voice.created_by)
    voice.recordings.filter(analyzed_at=None).update(analyzed_at=timezone.now())


def listen_to_all(voice: "Voice") -> None:
    voice.recordings.update(sound_features={}, speaker_result={})
    voice.comparison = {}
    voice.save()


CHANGES = {
    "edit of a transcript": edit_transcript,
    "deletion of a recording": delete_one,
    "new recording": add_one,
    "listening to all (before)": listen_to_all,
}


def main() -> None:
    with make_temporary_studio():
        from tests.benchmarks.rows import StudioRows

        rows = StudioRows()
        voices = [make_voice(rows, count) for count in (RECORDINGS, 4 * RECORDINGS)]
        for voice in voices:
            compare(voice)
        headings = (f"{RECORDINGS}: s", "files", f"{4 * RECORDINGS}: s", "files", "× s", "× files")
        print(f"{'':28}" + "".join(f"{heading:>10}" for heading in headings))
        for name, change in CHANGES.items():
            small, large = (measure(voice, change) for voice in voices)
            times = large.seconds / small.seconds
            files = f"{large.opened_files / small.opened_files:.2f}" if small.opened_files else "–"
            print(
                f"{name:28}{small.seconds:10.2f}{small.opened_files:10}{large.seconds:10.2f}{large.opened_files:10}"
                f"{times:10.2f}{files:>10}",
                flush=True,
            )


if __name__ == "__main__":
    main()
