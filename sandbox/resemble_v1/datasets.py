"""What was uploaded becomes sounds to listen to, if it keeps the rules of the vendor's page."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from audio.wav.pcm import build_wav_header
from audio.wav.riff import BYTES_PER_FRAME, WavHeader, WavRefused, read_header
from sandbox import dataset_fetch
from sandbox.judging import JudgedFile
from sandbox.resemble_v1 import constants


class BadDataset(Exception):
    """Why a dataset cannot be trained on, said in words."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Sounds in files of their own, by name; `raw` where they are pieces of one WAV."""

    clips: list[JudgedFile]
    raw: bool


def read_dataset(path: Path, content_type: str, folder: Path) -> Dataset:
    """The sounds of an upload, written into `folder`. Raises BadDataset, which names all that is wrong."""
    if constants.CONTENT_TYPES[content_type] == "wav":
        return Dataset(list(_pieces(path, folder)), raw=True)
    try:
        return Dataset(_clips(path, folder), raw=False)
    except dataset_fetch.BadArchive as problem:
        raise BadDataset(str(problem)) from None


def _clips(path: Path, folder: Path) -> list[JudgedFile]:
    texts, issues, clips, without_text = dataset_fetch.texts(path), [], [], []
    for number, clip in enumerate(dataset_fetch.clips(path)):
        if issue := _issue(clip):
            issues.append(f"{clip.name}.wav {issue}")
        elif texts and not clip.text:
            without_text.append(clip.name)
        target = folder / f"{number}.wav"
        target.write_bytes(clip.wav)
        clips.append(JudgedFile(clip.name, target))
    names = [clip.uuid for clip in clips]
    if len(set(names)) < len(names):
        issues.append("Two files have the same name.")
    if not clips:
        issues.append("There is no WAV file in the dataset.")
    if without_text:
        issues.append(f"metadata.csv has no text for {listed(without_text)}.")
    if missing := [name for name in texts if name not in names]:
        issues.append(f"metadata.csv names files that are not there: {listed(missing)}.")
    if issues:
        more = len(issues) - constants.MOST_NAMED
        raise BadDataset(" ".join(issues[: constants.MOST_NAMED]) + (f" And {more} more." if more > 0 else ""))
    return clips


def _issue(clip: dataset_fetch.DatasetClip) -> str:
    """What is wrong with a clip by the vendor's table; empty for nothing."""
    if not re.fullmatch(constants.AUDIO_NAME, f"{clip.name}.wav"):
        return "has a name that is not alphanumeric."
    try:
        seconds = read_header(BytesIO(clip.wav)).seconds
    except WavRefused as refused:
        return f"cannot be used. {refused.finding.text}"
    if not constants.SHORTEST_CLIP <= seconds <= constants.LONGEST_CLIP:
        return f"lasts {seconds:.1f} seconds; {constants.SHORTEST_CLIP} to {constants.LONGEST_CLIP:g} are allowed."
    return ""


def _pieces(path: Path, folder: Path) -> Iterator[JudgedFile]:
    """A raw WAV in pieces, so that a second speaker in it is noticed."""
    with path.open("rb") as file:
        try:
            header = read_header(file)
        except WavRefused as refused:
            raise BadDataset(f"The audio file cannot be used. {refused.finding.text}") from None
        for start in _starts(header):
            frames = min(header.frames - start, _piece_frames(header))
            file.seek(header.data_offset + start * BYTES_PER_FRAME)
            data = file.read(frames * BYTES_PER_FRAME)
            target = folder / f"{start}.wav"
            target.write_bytes(build_wav_header(header.sample_rate, len(data)) + data)
            yield JudgedFile(f"from {start / header.sample_rate:.0f} s", target)


def _starts(header: WavHeader) -> Iterable[int]:
    """Where the pieces begin, in samples; a last one that is too short to be judged is left out, unless it is all."""
    every = _piece_frames(header)
    starts = list(range(0, header.frames, every))
    if len(starts) > 1 and header.frames - starts[-1] < constants.SHORTEST_CLIP * header.sample_rate:
        starts.pop()
    step = max(1, -(-len(starts) // constants.MOST_PIECES))
    return starts[::step]


def _piece_frames(header: WavHeader) -> int:
    return round(constants.PIECE_SECONDS * header.sample_rate)


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - constants.MOST_NAMED
    return ", ".join(names[: constants.MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
