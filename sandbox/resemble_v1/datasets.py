"""Reads an upload as a dataset of audio clips, by the rules in the vendor's documentation."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from audio.wav.pcm import build_wav_header
from audio.wav.riff import BYTES_PER_FRAME, WavHeader, WavRefused, read_header
from sandbox import dataset_fetch
from sandbox.clip_evaluation import AudioClip
from sandbox.resemble_v1 import constants


class InvalidDataset(Exception):
    """The dataset cannot be used for training; the message says why."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Clips in separate files; the id of a clip is its name. With `is_raw`, the clips are segments of one WAV."""

    clips: list[AudioClip]
    is_raw: bool


def read_dataset(path: Path, content_type: str, folder: Path) -> Dataset:
    """Write the clips of an upload into `folder`. Raises InvalidDataset with all problems."""
    if constants.CONTENT_TYPES[content_type] == "wav":
        return Dataset(list(_split_raw_wav(path, folder)), is_raw=True)
    try:
        return Dataset(_read_archive(path, folder), is_raw=False)
    except dataset_fetch.InvalidArchive as problem:
        raise InvalidDataset(str(problem)) from None


def _read_archive(path: Path, folder: Path) -> list[AudioClip]:
    texts, issues, clips, without_text = dataset_fetch.read_transcripts(path), [], [], []
    for number, clip in enumerate(dataset_fetch.read_clips(path)):
        if issue := _find_clip_issue(clip):
            issues.append(f"{clip.name}.wav {issue}")
        elif texts and not clip.text:
            without_text.append(clip.name)
        target = folder / f"{number}.wav"
        target.write_bytes(clip.wav)
        clips.append(AudioClip(clip.name, target))
    names = [clip.uuid for clip in clips]
    if len(set(names)) < len(names):
        issues.append("Two files have the same name.")
    if not clips:
        issues.append("There is no WAV file in the dataset.")
    if without_text:
        issues.append(f"metadata.csv has no text for {format_names(without_text)}.")
    if missing := [name for name in texts if name not in names]:
        issues.append(f"metadata.csv names files that are not there: {format_names(missing)}.")
    if issues:
        remaining_count = len(issues) - constants.MAX_LISTED_NAMES
        raise InvalidDataset(
            " ".join(issues[: constants.MAX_LISTED_NAMES])
            + (f" And {remaining_count} more." if remaining_count > 0 else "")
        )
    return clips


def _find_clip_issue(clip: dataset_fetch.DatasetClip) -> str:
    """The problem of a clip by the table in the vendor's documentation, or an empty text."""
    if not re.fullmatch(constants.AUDIO_NAME_PATTERN, f"{clip.name}.wav"):
        return "has a name that is not alphanumeric."
    try:
        seconds = read_header(BytesIO(clip.wav)).seconds
    except WavRefused as refused:
        return f"cannot be used. {refused.finding.text}"
    if not constants.MIN_CLIP_SECONDS <= seconds <= constants.MAX_CLIP_SECONDS:
        return (
            f"lasts {seconds:.1f} seconds; {constants.MIN_CLIP_SECONDS} to {constants.MAX_CLIP_SECONDS:g} are allowed."
        )
    return ""


def _split_raw_wav(path: Path, folder: Path) -> Iterator[AudioClip]:
    """Split a raw WAV into segments, so that a second speaker in it is detected."""
    with path.open("rb") as file:
        try:
            header = read_header(file)
        except WavRefused as refused:
            raise InvalidDataset(f"The audio file cannot be used. {refused.finding.text}") from None
        for start in _list_segment_starts(header):
            frames = min(header.frames - start, _count_segment_frames(header))
            file.seek(header.data_offset + start * BYTES_PER_FRAME)
            data = file.read(frames * BYTES_PER_FRAME)
            target = folder / f"{start}.wav"
            target.write_bytes(build_wav_header(header.sample_rate, len(data)) + data)
            yield AudioClip(f"from {start / header.sample_rate:.0f} s", target)


def _list_segment_starts(header: WavHeader) -> Iterable[int]:
    """Segment starts, in samples. A last segment too short to evaluate is left out, unless it is the only one."""
    segment_frames = _count_segment_frames(header)
    starts = list(range(0, header.frames, segment_frames))
    if len(starts) > 1 and header.frames - starts[-1] < constants.MIN_CLIP_SECONDS * header.sample_rate:
        starts.pop()
    step = max(1, -(-len(starts) // constants.MAX_SEGMENTS))
    return starts[::step]


def _count_segment_frames(header: WavHeader) -> int:
    return round(constants.SEGMENT_SECONDS * header.sample_rate)


def format_names(names: list[str]) -> str:
    """The first file names and how many more there are, such as "a.wav, b.wav and 3 more"."""
    remaining_count = len(names) - constants.MAX_LISTED_NAMES
    return ", ".join(names[: constants.MAX_LISTED_NAMES]) + (
        f" and {remaining_count} more" if remaining_count > 0 else ""
    )
