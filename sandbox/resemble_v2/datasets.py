"""What lies behind a voice's dataset_url becomes recordings of the voice."""

import sqlite3
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from audio.wav.riff import WavRefused, read_header
from sandbox import judging
from sandbox.context import House
from sandbox.dataset_fetch import BadArchive, DatasetClip, NotFetched, clips, fetch
from sandbox.resemble_v2 import rows
from sandbox.resemble_v2.rows import Recording, Source, Voice


class BadDataset(Exception):
    """Why a dataset cannot be trained on, said in words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A recording to be and its audio."""

    recording: Recording
    wav: bytes


def read_dataset(house: House, voice: Voice) -> None:
    """Fetch the dataset and store its recordings in place of those of an earlier read. Raises BadDataset."""
    if not voice.dataset_url:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dataset"
        try:
            fetch(voice.dataset_url, path)
            pieces = [_raw(voice, path)] if voice.voice_type == "rapid" else _from_archive(voice, path)
        except (NotFetched, BadArchive) as problem:
            raise BadDataset(str(problem)) from None
        _store(house, voice, pieces)


def _raw(voice: Voice, path: Path) -> Piece:
    """Vendor: of a rapid voice it "must be a wav file of at least 10 seconds"; its length is judged later."""
    try:
        return _piece(voice, DatasetClip("dataset", "", path.read_bytes()), Source.RAW)
    except WavRefused as refused:
        raise BadDataset(f"The dataset of a rapid voice must be a WAV file. {refused.finding.text}") from None


def _from_archive(voice: Voice, path: Path) -> list[Piece]:
    pieces = []
    for clip in clips(path):
        try:
            pieces.append(_piece(voice, clip, Source.CLIP))
        except WavRefused as refused:
            raise BadDataset(f"{clip.name}.wav cannot be used. {refused.finding.text}") from None
    if not pieces:
        raise BadDataset("There is no WAV file in the dataset.")
    return pieces


def _piece(voice: Voice, clip: DatasetClip, source: Source) -> Piece:
    """Raises WavRefused."""
    file = BytesIO(clip.wav)
    header = read_header(file)
    recording = Recording(
        voice=voice.uuid,
        name=clip.name,
        text=clip.text,
        file=f"{rows.new_id()}{rows.new_id()}.wav",
        seconds=header.seconds,
        source=source,
        scores=judging.first_scores(file, header),
    )
    return Piece(recording, clip.wav)


def _store(house: House, voice: Voice, pieces: list[Piece]) -> None:
    for piece in pieces:
        house.store.audio(voice.uuid, piece.recording.file).write_bytes(piece.wav)
    try:
        with house.store.transaction() as db:
            rows.delete_dataset(db, voice.uuid)
            for piece in pieces:
                rows.save_recording(db, piece.recording)
    except sqlite3.IntegrityError:
        raise BadDataset("Two files of the dataset have the same name.") from None
