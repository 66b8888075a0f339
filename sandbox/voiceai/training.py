"""Outcome of a training: the sandbox decodes and evaluates the uploaded file."""

import shutil
from dataclasses import replace
from pathlib import Path

from audio.findings.findings import FileRefused
from audio.wav.convert import convert_to_wav, is_accepted_wav
from audio.wav.riff import read_header
from sandbox import clip_evaluation
from sandbox.context import SandboxContext
from sandbox.speakers import has_two_speakers
from sandbox.store import StoredObject
from sandbox.voiceai import constants

ORIGINAL_FILE = "sent"
DECODED_FILE = "voice.wav"
"""Names of the uploaded file and of the decoded audio, which the sandbox evaluates and plays as speech."""


def decide_outcome(context: SandboxContext, voice: StoredObject) -> StoredObject:
    """The voice with the status AVAILABLE, or FAILED and the reason."""
    error = _find_issue(context, voice)
    if error:
        return replace(voice, status="FAILED", details=voice.details | {"error": error})
    return replace(voice, status="AVAILABLE")


def _find_issue(context: SandboxContext, voice: StoredObject) -> str | None:
    wav, min_seconds = context.store.get_audio_path(voice.id, DECODED_FILE), context.settings.rapid_seconds
    try:
        seconds = _decode_audio(context.store.get_audio_path(voice.id, ORIGINAL_FILE), wav)
    except FileRefused as problem:
        return f"The file cannot be read. {problem.finding.text}"
    if clip_evaluation.evaluate_clips([clip_evaluation.AudioClip(voice.id, wav)]).clips[voice.id].is_silent:
        return "There is no speech in the file."
    if not min_seconds <= seconds <= constants.MAX_SECONDS:
        return f"The file must last {min_seconds:g} to {constants.MAX_SECONDS:g} seconds, not {seconds:.1f}."
    if has_two_speakers(wav):
        return "There is more than one speaker in the file."
    return None


def _decode_audio(original: Path, wav: Path) -> float:
    """Write the WAV and return its seconds. Raises Refused."""
    wav.unlink(missing_ok=True)  # left by a training that a stop of the sandbox interrupted
    with original.open("rb") as file:
        if not is_accepted_wav(file):
            return convert_to_wav(original, wav).header.seconds
    shutil.copyfile(original, wav)
    with wav.open("rb") as file:
        return read_header(file).seconds
