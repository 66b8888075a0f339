"""Prepare audio for a provider on the command line: convert, split, join, pack. Originals are never changed."""

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audio.datasets import archive_writer
from audio.datasets.clips import Clip, load_clip, open_clip
from audio.datasets.concatenate import (
    GAP_SECONDS,
    check_concatenation_limits,
    concatenate_clips,
    find_common_rate,
    write_concatenation,
)
from audio.datasets.segment import DEFAULT_LENGTHS, SegmentLengths, list_segment_paths, split_clip, write_segments
from audio.datasets.select import Candidate, SelectionLimits, compute_quality, select_recordings
from audio.findings.findings import FileRefused, Finding
from audio.levels.inspection import DurationLimits, inspect_file
from audio.report import list_folder_files
from audio.wav.convert import convert_to_wav
from audio.wav.pcm import HEADER_BYTES
from audio.wav.recipe import Recipe, build_recipe
from audio.wav.riff import ALLOWED_RATES, BYTES_PER_FRAME
from providers import registry
from providers.types import Tier
from voicehub.text import format_duration
from voices.management.clip_texts import read_clip_texts
from voices.management.commands.inspect_audio import (
    BAR_WIDTH,
    NO_DATABASE,
    clean_name,
    get_tier_limits,
    has_database,
)

SKIPPED_SUFFIXES = frozenset({".csv", ".json", ".md", ".txt"})  # other files in a folder of audio; they are skipped
ANY_LENGTH = DurationLimits(0, math.inf)

Progress = Callable[[int, int, str], None]


class Command(BaseCommand):
    help = "Prepare audio for a provider. Originals are not changed. A recipe beside each result says how it was made."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        jobs = parser.add_subparsers(dest="job", required=True, metavar="convert|split|join|pack")
        _add_convert_arguments(jobs.add_parser("convert", help="convert audio files of any format to 16-bit mono WAVs"))
        _add_split_arguments(jobs.add_parser("split", help="split a long recording into clips at its pauses"))
        _add_join_arguments(jobs.add_parser("join", help="join clips into one file, with short silences between them"))
        _add_pack_arguments(jobs.add_parser("pack", help="pack a folder of clips into a dataset archive"))

    def handle(self, *, job: str, **options: Any) -> None:
        if options.get("provider") and not has_database():
            self.stderr.write(NO_DATABASE, style_func=str)
        run_job = {"convert": _convert_files, "split": _split_recording, "join": _join_clips, "pack": _pack_clips}[job]
        try:
            for line in run_job(options, self._show_progress):
                self.stdout.write(line)
        except (FileRefused, OSError) as error:
            raise CommandError(describe_error(error)) from None

    def _show_progress(self, done: int, total: int, name: str) -> None:
        if sys.stderr.isatty():
            bar = "█" * round(done / max(1, total) * BAR_WIDTH)
            line = f"\r\x1b[K{bar:░<{BAR_WIDTH}} {done} of {total}  {clean_name(name)}"
            self.stderr.write(line, style_func=str, ending="\n" if done == total else "")


def _add_convert_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an audio file, or a folder of audio files")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="folder for the WAVs")
    parser.add_argument("--rate", type=int, choices=ALLOWED_RATES, help="in Hz (default: the nearest allowed rate)")


def _convert_files(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = list(_list_audio_files(options["files"]))
    into, failed = _make_folder(options["into"]), 0
    for number, path in enumerate(files):
        progress(number, len(files), path.name)
        try:
            wav = convert_to_wav(path, _check_path_is_free(into / f"{path.stem}.wav"), options["rate"])
        except (FileRefused, FileExistsError) as error:
            failed += 1
            yield f"{path}: {describe_error(error)}"
            continue
        _write_recipe(wav.path, wav.recipe, original_format=wav.original_format)
        yield "\n".join([f"{wav.path}", *(f"  {format_finding(finding)}" for finding in wav.findings)])
    progress(len(files), len(files), "")
    if failed:
        raise CommandError(f"{failed} of {len(files)} files could not be converted.")


def _add_split_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording of any length, in any format")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="folder for the clips")
    parser.add_argument("--provider", choices=sorted(registry.PROVIDERS), help="apply this provider's limits")
    parser.add_argument("--tier", choices=[tier.value for tier in Tier], help="the provider's tier")
    parser.add_argument("--min-seconds", type=float, help="the shortest clip (default: 1.5)")
    parser.add_argument("--max-seconds", type=float, help="the longest clip (default: 20)")
    parser.add_argument("--target-seconds", type=float, help="the preferred length of a clip (default: 8)")


def _split_recording(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    lengths = _get_lengths(options)
    with open_clip(options["file"]) as clip:
        progress(0, 1, f"{clip.name}: analyzing {format_duration(clip.seconds)}")
        result = split_clip(clip, lengths)
        into = _make_folder(options["into"])
        for path in list_segment_paths(clip, len(result.segments), into):
            _check_path_is_free(path)
        for number, written in enumerate(write_segments(clip, result, into), start=1):
            _write_recipe(written.path, written.recipe)
            progress(number, len(result.segments), written.path.name)
    seconds = sum(segment.end - segment.start for segment in result.segments) / clip.rate
    yield f"{len(result.segments)} clips in {into}: {seconds:.1f} s of {clip.seconds:.1f} s."
    if unsafe := sum(not segment.is_in_pauses for segment in result.segments):
        yield f"{unsafe} clips begin or end outside a pause. Listen to these clips."
    if result.excluded_seconds:
        yield f"{result.excluded_seconds:.1f} s of speech were excluded, because they fit no clip of an allowed length."
    if result.speech_levels.speech.missing_reason:
        yield f"Pauses were found by level alone: {result.speech_levels.speech.missing_reason}"


def _get_lengths(options: dict[str, Any]) -> SegmentLengths:
    """The requested clip lengths. Default lengths stay within what the provider accepts and uses for training."""
    uses_limits = options["provider"] or options["tier"]
    limits = get_tier_limits(options["provider"], options["tier"]) if uses_limits else {}
    longest_allowed = min(limits.get("longest_clip", math.inf), limits.get("trained_clip", math.inf))
    shortest = options["min_seconds"] or max(DEFAULT_LENGTHS.min_seconds, limits.get("shortest_clip", 0))
    longest = options["max_seconds"] or min(DEFAULT_LENGTHS.max_seconds, longest_allowed)
    if not 0 < shortest < longest:
        raise CommandError(f"0 s < --min-seconds < --max-seconds must hold, not {shortest:g} s and {longest:g} s.")
    target = options["target_seconds"] or DEFAULT_LENGTHS.target_seconds
    return SegmentLengths(shortest, longest, min(longest, max(shortest, target)))


def _add_join_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an audio file, or a folder of audio files")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the WAV to write")
    parser.add_argument("--rate", type=int, choices=ALLOWED_RATES, help="in Hz (default: the most common rate)")
    parser.add_argument("--gap", type=float, default=GAP_SECONDS, metavar="SECONDS", help="silence between two clips")
    parser.add_argument("--max-seconds", type=float, help="maximum length of the joined WAV")
    parser.add_argument("--max-bytes", type=int, help="maximum size of the joined WAV")
    parser.add_argument(
        "--select", action="store_true", help="use only the best clips that fit within --max-seconds and --max-bytes"
    )


def _join_clips(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = list(_list_audio_files(options["files"]))
    out = _check_path_is_free(options["out"])
    with ExitStack() as stack:
        clips = []
        for number, path in enumerate(files, start=1):
            clips.append(stack.enter_context(open_clip(path)))
            progress(number, len(files), path.name)
        if options["select"]:
            clips, unused = _select_clips(clips, options)
            yield f"{len(clips)} of {len(files)} clips selected. Not selected: {', '.join(unused) or 'none'}."
        joined = concatenate_clips(clips, options["rate"], options["gap"])
        check_concatenation_limits(joined, options["max_seconds"], options["max_bytes"])
        _write_recipe(out, write_concatenation(joined, out).recipe, clips=[clip.name for clip in clips])
        yield f"{out}: {len(clips)} clips, {joined.seconds:.1f} s, {joined.size:,} bytes, {joined.rate:,} Hz."


def _select_clips(clips: Sequence[Clip], options: dict[str, Any]) -> tuple[list[Clip], list[str]]:
    """The best clips that fit within the limits, and the names of the clips that were not selected."""
    rate = options["rate"] or find_common_rate([clip.rate for clip in clips])
    max_seconds = [options["max_seconds"]] if options["max_seconds"] else []
    if options["max_bytes"]:
        max_seconds.append((options["max_bytes"] - HEADER_BYTES) / BYTES_PER_FRAME / rate)
    if not max_seconds:
        raise CommandError("--select needs --max-seconds or --max-bytes.")
    # Each clip may become up to one sample longer, because resampling and the silences round lengths up.
    limits = SelectionLimits(min(max_seconds) - len(clips) / rate, gap_seconds=options["gap"])
    selected = set(select_recordings([_make_candidate(clip) for clip in clips], limits))
    unused = [clip.name for index, clip in enumerate(clips) if index not in selected]
    return [clip for index, clip in enumerate(clips) if index in selected], unused


def _make_candidate(clip: Clip) -> Candidate:
    with clip.open() as file:
        return Candidate(clip.seconds, compute_quality(inspect_file(file, ANY_LENGTH)))


def _add_pack_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a folder with WAVs and a metadata.csv of name|text lines"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .zip to write")
    parser.add_argument("--without-text", action="store_true", help="leave out the transcripts")


def _pack_clips(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    folder, with_text = options["folder"], not options["without_text"]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav")
    if not paths:
        raise CommandError(f"There is no .wav file in {folder}. Run prepare_audio convert first.")
    texts = read_clip_texts(folder / archive_writer.METADATA, paths) if with_text else {}
    if with_text and (missing := [path.name for path in paths if not texts.get(path.stem)]):
        raise CommandError(
            f"No text in {archive_writer.METADATA} for: {', '.join(missing)}. Add the texts, or use --without-text."
        )
    clips = [_open_clip(path) for path in paths]
    names = archive_writer.make_clip_names([path.stem for path in paths])
    entries = [
        archive_writer.DatasetEntry(name, texts.get(path.stem, ""), path.stat().st_size, clip.open)
        for name, path, clip in zip(names, paths, clips, strict=True)
    ]
    out = _check_path_is_free(options["out"])
    sums = _write_archive(out, entries, with_text, progress)
    recipe = build_recipe([clip.sha256 for clip in clips], [{"step": "pack", "names": names, "with_text": with_text}])
    _write_recipe(out, recipe, bytes=sums.size, md5=sums.md5, sha256=sums.sha256)
    yield f"{out}: {len(entries)} clips, {sums.size:,} bytes, MD5 {sums.md5}."


def _open_clip(path: Path) -> Clip:
    try:
        return load_clip(path)
    except FileRefused as refused:
        raise CommandError(f"{path}: {describe_error(refused)}") from None


def _write_archive(
    out: Path, entries: Sequence[archive_writer.DatasetEntry], with_text: bool, progress: Progress
) -> archive_writer.Checksums:
    total, done = archive_writer.compute_zip_size(entries, with_text), 0
    with out.open("xb") as file:

        def write(block: bytes) -> None:
            nonlocal done
            done += file.write(block)
            progress(done, total, out.name)

        try:
            return archive_writer.compute_zip_checksums(entries, with_text, write)
        except BaseException:
            out.unlink()
            raise


def _list_audio_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The given files, and the files in given folders that may be audio. Raises CommandError if there are none."""
    listed = chain.from_iterable(list_folder_files(path) if path.is_dir() else [path] for path in paths)
    files = [path for path in listed if path in paths or path.suffix.lower() not in SKIPPED_SUFFIXES]
    if not files:
        raise CommandError("No audio files found. Give other files or folders.")
    yield from files


def _make_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _check_path_is_free(path: Path) -> Path:
    """Return the path. Raises FileExistsError if this path or the path of its recipe is taken."""
    for target in (path, _get_recipe_path(path)):
        if target.exists():
            raise FileExistsError(None, None, str(target))
    return path


def _get_recipe_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _write_recipe(path: Path, recipe: Recipe, **file_facts: Any) -> None:
    """Write the recipe, with facts about the result, beside the result at `path`."""
    with _get_recipe_path(path).open("x", encoding="utf-8") as file:
        json.dump({"file": path.name, **file_facts, **recipe}, file, indent=2)
        file.write("\n")


def describe_error(error: FileRefused | OSError) -> str:
    if isinstance(error, FileRefused):
        return format_finding(error.finding)
    if isinstance(error, FileExistsError):
        return f"{error.filename} exists already. Delete it, or choose another name."
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def format_finding(finding: Finding) -> str:
    return f"{finding.text} {finding.advice}"
