"""How the training of a voice ends: the sandbox decodes the file that was sent, and listens to it."""

import shutil
from dataclasses import replace
from pathlib import Path

from audio.findings.findings import Refused
from audio.wav.convert import convert_to_wav, is_accepted_wav
from audio.wav.riff import read_header
from sandbox import judging
from sandbox.context import House
from sandbox.store import Kept
from sandbox.voiceai import constants

SENT = "sent"
DECODED = "voice.wav"
"""The file as it came, and what the sandbox listens to and speaks with."""


def outcome(house: House, voice: Kept) -> Kept:
    """AVAILABLE, or FAILED with the reason in words."""
    error = _issue(house, voice)
    if error:
        return replace(voice, status="FAILED", details=voice.details | {"error": error})
    return replace(voice, status="AVAILABLE")


def _issue(house: House, voice: Kept) -> str | None:
    wav, least = house.store.audio(voice.id, DECODED), house.settings.rapid_seconds
    try:
        seconds = _decoded(house.store.audio(voice.id, SENT), wav)
    except Refused as problem:
        return f"The file cannot be read. {problem.finding.text}"
    if judging.judge([judging.JudgedFile(voice.id, wav)]).clips[voice.id].is_silent:
        return "There is no speech in the file."
    if not least <= seconds <= constants.LONGEST:
        return f"The file must last {least:g} to {constants.LONGEST:g} seconds, not {seconds:.1f}."
    return None


def _decoded(sent: Path, wav: Path) -> float:
    """Write the WAV, and say how long it lasts. Raises Refused."""
    wav.unlink(missing_ok=True)  # of a training that the sandbox did not live to end
    with sent.open("rb") as file:
        if not is_accepted_wav(file):
            return convert_to_wav(sent, wav).header.seconds
    shutil.copyfile(sent, wav)
    with wav.open("rb") as file:
        return read_header(file).seconds
