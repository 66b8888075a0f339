"""Sound made ready for a provider, on the command line: convert, cut, join, pack. Originals are never touched."""

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audio.datasets import archive_writer
from audio.datasets.clips import Clip, load_clip, open_clip
from audio.datasets.concatenate import (
    GAP_SECONDS,
    Concatenation,
    check_limits,
    concatenate_clips,
    find_common_rate,
    write_concatenation,
)
from audio.datasets.segment import DEFAULT_LENGTHS, SegmentLengths, list_segment_paths, split_clip, write_segments
from audio.datasets.select import Candidate, SelectionLimits, compute_quality, select_recordings
from audio.findings.findings import Finding, Refused
from audio.levels.inspection import DurationLimits, inspect_file
from audio.wav.convert import Recipe, build_recipe, convert_to_wav
from audio.wav.pcm import HEADER_BYTES
from audio.wav.riff import ALLOWED_RATES, BYTES_PER_FRAME
from providers import registry
from providers.types import Tier
from voices.management.commands.inspect_audio import BAR, NO_DATABASE, found_in, has_database, shown_name, tier_limits

NO_SOUND = frozenset({".csv", ".json", ".md", ".txt"})
"""Endings of what lies beside sound, passed over in folders."""
ANY_LENGTH = DurationLimits(0, math.inf)

Progress = Callable[[int, int, str], None]


class Command(BaseCommand):
    help = "Makes sound ready for a provider, beside the originals: each result has a recipe of how it was made."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        jobs = parser.add_subparsers(dest="job", required=True, metavar="convert|cut|join|pack")
        _convert_arguments(jobs.add_parser("convert", help="16-bit mono WAVs of any sound files"))
        _cut_arguments(jobs.add_parser("cut", help="a long recording into clips, at its pauses"))
        _join_arguments(jobs.add_parser("join", help="clips into one file, with short silences between"))
        _pack_arguments(jobs.add_parser("pack", help="a folder of clips into a dataset archive"))

    def handle(self, *, job: str, **options: Any) -> None:
        if options.get("provider") and not has_database():
            self.stderr.write(NO_DATABASE, style_func=str)
        work = {"convert": _convert, "cut": _cut, "join": _join, "pack": _pack}[job]
        try:
            for line in work(options, self._progress):
                self.stdout.write(line)
        except (Refused, OSError) as error:
            raise CommandError(why(error)) from None

    def _progress(self, done: int, total: int, name: str) -> None:
        if sys.stderr.isatty():
            bar = "█" * round(done / max(1, total) * BAR)
            line = f"\r\x1b[K{bar:░<{BAR}} {done} of {total}  {shown_name(name)}"
            self.stderr.write(line, style_func=str, ending="\n" if done == total else "")


def _convert_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a sound file, or a folder of them")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="where the WAVs go")
    parser.add_argument("--rate", type=int, choices=ALLOWED_RATES, help="samples per second; else the nearest allowed")


def _convert(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = list(_sounds(options["files"]))
    into, failed = _folder(options["into"]), 0
    for number, path in enumerate(files):
        progress(number, len(files), path.name)
        try:
            made = convert_to_wav(path, _free(into / f"{path.stem}.wav"), options["rate"])
        except (Refused, FileExistsError) as error:
            failed += 1
            yield f"{path}: {why(error)}"
            continue
        _note(made.path, made.recipe, original_format=made.original_format)
        yield "\n".join([f"{made.path}", *(f"  {said(one)}" for one in made.findings)])
    progress(len(files), len(files), "")
    if failed:
        raise CommandError(f"{failed} of {len(files)} files could not be converted.")


def _cut_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording of any length, in any format")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="where the clips go")
    parser.add_argument("--provider", choices=sorted(registry.PROVIDERS), help="keep this provider's limits")
    parser.add_argument("--tier", choices=[tier.value for tier in Tier], help="of this tier of it")
    parser.add_argument("--shortest", type=float, metavar="SECONDS", help="the shortest clip; else 1.5")
    parser.add_argument("--longest", type=float, metavar="SECONDS", help="the longest clip; else 20")
    parser.add_argument("--wanted", type=float, metavar="SECONDS", help="the best length; else 8")


def _cut(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    lengths = _lengths(options)
    with open_clip(options["file"]) as clip:
        progress(0, 1, f"{clip.name}: listening to {clip.seconds:.0f} seconds")
        found = split_clip(clip, lengths)
        into = _folder(options["into"])
        for path in list_segment_paths(clip, found, into):
            _free(path)
        for number, made in enumerate(write_segments(clip, found, into), start=1):
            _note(made.path, made.recipe)
            progress(number, len(found.segments), made.path.name)
    seconds = sum(piece.end - piece.start for piece in found.segments) / clip.rate
    yield f"{len(found.segments)} clips in {into}, {seconds:.1f} seconds of {clip.seconds:.1f}."
    if hard := sum(not piece.is_in_pauses for piece in found.segments):
        yield f"{hard} of them begin or end where nobody pauses: listen to those."
    if found.excluded_seconds:
        yield f"{found.excluded_seconds:.1f} seconds of speech fit into no clip of allowed length, and were left out."
    if found.speech_levels.speech.missing_reason:
        yield f"Pauses were found by level alone: {found.speech_levels.speech.missing_reason}"


def _lengths(options: dict[str, Any]) -> SegmentLengths:
    """What is asked for, within what the provider takes and trains on."""
    asked = options["provider"] or options["tier"]
    known = tier_limits(options["provider"], options["tier"]) if asked else {}
    least = max(DEFAULT_LENGTHS.min_seconds, known.get("shortest_clip", 0))
    most = min(DEFAULT_LENGTHS.max_seconds, known.get("longest_clip", math.inf), known.get("trained_clip", math.inf))
    least, most = options["shortest"] or least, options["longest"] or most
    if not 0 < least < most:
        raise CommandError(f"A clip cannot last at least {least:g} and at most {most:g} seconds.")
    return SegmentLengths(least, most, min(most, max(least, options["wanted"] or DEFAULT_LENGTHS.target_seconds)))


def _join_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a sound file, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the WAV that they become")
    parser.add_argument("--rate", type=int, choices=ALLOWED_RATES, help="samples per second; else what most have")
    parser.add_argument("--gap", type=float, default=GAP_SECONDS, metavar="SECONDS", help="silence between two")
    parser.add_argument("--most-seconds", type=float, help="how long it may be")
    parser.add_argument("--most-bytes", type=int, help="how big it may be")
    parser.add_argument("--choose", action="store_true", help="take the best that fit, not all")


def _join(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    files = list(_sounds(options["files"]))
    out = _free(options["out"])
    with ExitStack() as stack:
        clips = []
        for number, path in enumerate(files, start=1):
            clips.append(stack.enter_context(open_clip(path)))
            progress(number, len(files), path.name)
        if options["choose"]:
            clips, unused = _chosen(clips, options)
            yield f"{len(clips)} of {len(files)} chosen; not: {', '.join(unused) or 'none'}."
        whole = concatenate_clips(clips, options["rate"], options["gap"])
        check_limits(whole, options["most_seconds"], options["most_bytes"])
        _note(out, write_concatenation(whole, out).recipe, clips=[clip.name for clip in clips])
        yield _told(out, whole)


def _told(out: Path, whole: Concatenation) -> str:
    return f"{out}: {len(whole.clips)} clips, {whole.seconds:.1f} seconds, {whole.size:,} bytes, {whole.rate:,} Hz."


def _chosen(clips: Sequence[Clip], options: dict[str, Any]) -> tuple[list[Clip], list[str]]:
    """The best that fit into the limits, and the names of the others."""
    rate = options["rate"] or find_common_rate([clip.rate for clip in clips])
    rooms = [options["most_seconds"]] if options["most_seconds"] else []
    if options["most_bytes"]:
        rooms.append((options["most_bytes"] - HEADER_BYTES) / BYTES_PER_FRAME / rate)
    if not rooms:
        raise CommandError("--choose needs --most-seconds or --most-bytes.")
    # Another rate and the gaps round each length to a whole sample.
    room = SelectionLimits(min(rooms) - len(clips) / rate, gap_seconds=options["gap"])
    taken = set(select_recordings([_candidate(clip) for clip in clips], room))
    chosen = [clip for place, clip in enumerate(clips) if place in taken]
    return chosen, [clip.name for place, clip in enumerate(clips) if place not in taken]


def _candidate(clip: Clip) -> Candidate:
    with clip.open() as file:
        return Candidate(clip.seconds, compute_quality(inspect_file(file, ANY_LENGTH)))


def _pack_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with WAVs, and a metadata.csv of name|text lines")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .zip that it becomes")
    parser.add_argument("--without-text", action="store_true", help="leave out what is said")


def _pack(options: dict[str, Any], progress: Progress) -> Iterator[str]:
    folder, with_text = options["folder"], not options["without_text"]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav")
    if not paths:
        raise CommandError(f"There is no .wav in {folder}.")
    texts = _texts(folder / archive_writer.METADATA) if with_text else {}
    if with_text and (missing := [path.name for path in paths if not texts.get(path.stem)]):
        raise CommandError(
            f"Without a text in {archive_writer.METADATA}: {', '.join(missing)}. Or give --without-text."
        )
    clips = [_packed(path) for path in paths]
    names = archive_writer.make_clip_names([path.stem for path in paths])
    entries = [
        archive_writer.Entry(name, texts.get(path.stem, ""), path.stat().st_size, clip.open)
        for name, path, clip in zip(names, paths, clips, strict=True)
    ]
    out = _free(options["out"])
    sums = _written(out, entries, with_text, progress)
    how = build_recipe([clip.sha256 for clip in clips], [{"step": "pack", "names": names, "with_text": with_text}])
    _note(out, how, bytes=sums.size, md5=sums.md5, sha256=sums.sha256)
    yield f"{out}: {len(entries)} clips, {sums.size:,} bytes, MD5 {sums.md5}."


def _packed(path: Path) -> Clip:
    try:
        return load_clip(path)
    except Refused as refused:
        raise CommandError(f"{path}: {why(refused)}") from None


def _texts(path: Path) -> dict[str, str]:
    """What is said in which clip; the name may be written with its ending."""
    if not path.exists():
        raise CommandError(f"There is no {path}. Or give --without-text.")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    parts = [line.partition("|") for line in lines if line.strip()]
    return {name.strip().removesuffix(".wav"): text.strip() for name, _, text in parts}


def _written(
    out: Path, entries: Sequence[archive_writer.Entry], with_text: bool, progress: Progress
) -> archive_writer.Checksums:
    total, done = archive_writer.compute_zip_size(entries, with_text), 0
    with out.open("xb") as file:

        def write(piece: bytes) -> None:
            nonlocal done
            done += file.write(piece)
            progress(done, total, out.name)

        try:
            return archive_writer.compute_zip_checksums(entries, with_text, write)
        except BaseException:
            out.unlink()
            raise


def _sounds(paths: Sequence[Path]) -> Iterator[Path]:
    """The files, and what may be sound in the folders."""
    found = [one for one in found_in(list(paths)) if one in paths or one.suffix.lower() not in NO_SOUND]
    if not found:
        raise CommandError("There is no file to work on.")
    yield from found


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _free(path: Path) -> Path:
    """The path, if neither it nor its recipe exists; FileExistsError otherwise."""
    for one in (path, _recipe_of(path)):
        if one.exists():
            raise FileExistsError(None, None, str(one))
    return path


def _recipe_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _note(path: Path, how: Recipe, **more: Any) -> None:
    """The recipe beside what was made by it."""
    with _recipe_of(path).open("x", encoding="utf-8") as file:
        json.dump({"file": path.name, **more, **how}, file, indent=2)
        file.write("\n")


def why(error: Refused | OSError) -> str:
    if isinstance(error, Refused):
        return said(error.finding)
    if isinstance(error, FileExistsError):
        return f"{error.filename} exists already; nothing is overwritten."
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def said(one: Finding) -> str:
    return f"{one.text} {one.advice}"
