"""Reading the dataset at a voice's dataset_url into recordings of the voice."""

import sqlite3
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from audio.wav.riff import WavRefused, read_header
from sandbox import clip_evaluation
from sandbox.context import SandboxContext
from sandbox.dataset_fetch import DatasetClip, DatasetFetchError, InvalidArchive, fetch_dataset, read_clips
from sandbox.resemble_v2 import rows
from sandbox.resemble_v2.rows import Recording, Source, Voice


class InvalidDataset(Exception):
    """The dataset cannot be used for training; the message says why."""


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording that is not saved yet, and its audio."""

    recording: Recording
    wav: bytes


def read_dataset(context: SandboxContext, voice: Voice) -> None:
    """Fetch the dataset and save its recordings in place of those of an earlier read. Raises InvalidDataset."""
    if not voice.dataset_url:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dataset"
        try:
            fetch_dataset(voice.dataset_url, path)
            new_recordings = [_read_raw_wav(voice, path)] if voice.voice_type == "rapid" else _read_archive(voice, path)
        except (DatasetFetchError, InvalidArchive) as problem:
            raise InvalidDataset(str(problem)) from None
        _save_recordings(context, voice, new_recordings)


def _read_raw_wav(voice: Voice, path: Path) -> NewRecording:
    """Vendor, for a rapid voice: "must be a wav file of at least 10 seconds". The length is checked in training."""
    try:
        return _make_recording(voice, DatasetClip("dataset", "", path.read_bytes()), Source.RAW)
    except WavRefused as refused:
        raise InvalidDataset(f"The dataset of a rapid voice must be a WAV file. {refused.finding.text}") from None


def _read_archive(voice: Voice, path: Path) -> list[NewRecording]:
    new_recordings = []
    for clip in read_clips(path):
        try:
            new_recordings.append(_make_recording(voice, clip, Source.CLIP))
        except WavRefused as refused:
            raise InvalidDataset(f"{clip.name}.wav cannot be used. {refused.finding.text}") from None
    if not new_recordings:
        raise InvalidDataset("There is no WAV file in the dataset.")
    return new_recordings


def _make_recording(voice: Voice, clip: DatasetClip, source: Source) -> NewRecording:
    """A recording with its scores, from a clip of the dataset. Raises WavRefused."""
    file = BytesIO(clip.wav)
    header = read_header(file)
    recording = Recording(
        voice=voice.uuid,
        name=clip.name,
        text=clip.text,
        file=f"{rows.make_id()}{rows.make_id()}.wav",
        seconds=header.seconds,
        source=source,
        scores=clip_evaluation.compute_upload_scores(file, header),
    )
    return NewRecording(recording, clip.wav)


def _save_recordings(context: SandboxContext, voice: Voice, new_recordings: list[NewRecording]) -> None:
    for new_recording in new_recordings:
        context.store.get_audio_path(voice.uuid, new_recording.recording.file).write_bytes(new_recording.wav)
    try:
        with context.store.transaction() as db:
            rows.delete_dataset_recordings(db, voice.uuid)
            for new_recording in new_recordings:
                rows.save_recording(db, new_recording.recording)
    except sqlite3.IntegrityError:
        raise InvalidDataset("Two files of the dataset have the same name.") from None
