"""Recordings that are too long for a build."""

import io

import numpy as np
import soundfile

from tests.support.wav import load_sample_wav

SENTENCES = ("slt-01", "slt-02", "slt-03", "slt-04", "slt-05")


def make_long_wav(repeat: int = 4) -> bytes:
    """Make a WAV with more than one minute of real speech, with a pause of half a second after each sentence."""
    sections = []
    for name in SENTENCES * repeat:
        samples, _rate = soundfile.read(io.BytesIO(load_sample_wav(name)), dtype="int16")
        sections += [samples, np.zeros(8000, np.int16)]
    buffer = io.BytesIO()
    soundfile.write(buffer, np.concatenate(sections), 16000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
