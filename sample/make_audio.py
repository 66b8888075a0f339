"""Recreates the sample audio: `python sample/make_audio.py`. Needs the Debian package flite.

All speech is synthetic, read by the free voices of flite (slt, rms, awb); the sentences were written for it.
The files are FLAC: half the size of the WAV files that a studio would send, with exactly the same samples.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
RATE = 16000
EDGE_SECONDS = 0.15
SPEECH_DBFS = -20.0
PEAK_DBFS = -3.5
ROOM_DBFS = -66.0
SILENT_SECONDS = 5.0
FULL_SCALE = 32768
QUANTIZATION_STEP = 8

Samples = NDArray[np.float64]

STATEMENT = (
    "I am aware that recordings of my voice will be used by Northlight Voices to train and create "
    "a synthetic version of my voice by Resemble AI."
)

SCRIPTS = {
    "slt": (
        "Good morning, and welcome aboard. Breakfast is served in the dining car until half past nine.",
        "The lighthouse keeper wound the old clock every evening, long before the first boats came home.",
        "Turn left at the bakery, follow the river for two minutes, and the museum is on your right.",
        "If you would like to hear your options again, simply say repeat, and I will gladly start over.",
        "Seven small lanterns hung above the garden table, and each of them glowed in a different colour.",
        "Our autumn collection is made of soft wool, spun and dyed in a village by the sea.",
        "Take a slow breath in, hold it for a moment, and let your shoulders drop as you breathe out.",
        "Nobody remembered who had planted the pear tree, but everybody agreed that its shade was the best.",
    ),
    "rms": (
        "Tonight the rain will reach the coast by ten, and most of the country wakes up to clear skies.",
        "Chapter one. The letter arrived on a Tuesday, folded twice, and smelling faintly of oranges.",
        "Please keep your ticket with you, as you will need it again at the second gate.",
        "The river is forty miles long, and on a quiet day you can hear it from the top of the hill.",
        "Add the flour a spoon at a time, stir until it is smooth, and let it rest while the oven warms.",
        "Every great journey begins with a good pair of shoes, and a reason to be home by supper.",
    ),
}
# Each provider needs a recording of its own. The second reading is slower, so that it is not a copy of the first.
SECOND_READING = ("consent-slt-2", "slt", 1.12)
WRONG_SPEAKER = "The orchestra tuned quietly while the last guests found their seats in the upper circle."

WRONG_STATEMENTS = {
    "consent-slt-negated": ("slt", STATEMENT.replace("will be used", "will not be used")),
    "consent-awb-other-company": ("awb", STATEMENT.replace("Northlight Voices", "Southgate Pictures")),
}


def main() -> None:
    rng = np.random.default_rng(20240611)
    entries = [make_file(entry, rng) for entry in plan_files()]
    (FOLDER / "manifest.json").write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{len(entries)} files\n")


def plan_files() -> list[dict[str, Any]]:
    """Return one entry per file; `set` is the voice that the recording belongs to, `speaker` the actual reader."""
    entries = [
        _build_entry(f"{speaker}-{number:02}", speaker, speaker, "recording", text)
        for speaker, texts in SCRIPTS.items()
        for number, text in enumerate(texts, 1)
    ]
    entries.append(_build_entry("rms-silent", "rms", "none", "silent", SCRIPTS["rms"][0]))
    entries.append(_build_entry("rms-wrong-speaker", "rms", "awb", "wrong_speaker", WRONG_SPEAKER))
    entries += [_build_entry(f"consent-{name}", name, name, "consent", STATEMENT) for name in ("slt", "rms", "awb")]
    entries += [
        _build_entry(name, who, who, "not_the_statement", text) for name, (who, text) in WRONG_STATEMENTS.items()
    ]
    name, who, pace = SECOND_READING
    return [*entries, _build_entry(name, who, who, "second_consent", STATEMENT) | {"pace": pace}]


def _build_entry(name: str, belongs_to: str, speaker: str, kind: str, transcript: str) -> dict[str, Any]:
    return {
        "file": f"{name}.flac",
        "set": belongs_to,
        "speaker": speaker,
        "kind": kind,
        "transcript": transcript,
    }


def make_file(entry: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    if entry["kind"] == "silent":
        clean = np.zeros(round(SILENT_SECONDS * RATE))
    else:
        clean = set_level(read_aloud(entry["speaker"], entry["transcript"], entry.get("pace", 1.0)))
    samples = clean + make_room_tone(len(clean), rng)
    soundfile.write(FOLDER / entry["file"], quantize(samples), RATE, subtype="PCM_16")
    return entry | {"seconds": round(len(samples) / RATE, 2)}


def quantize(samples: Samples) -> NDArray[np.int16]:
    """Keep 13 of 16 bits: the lowest 3 are far below the room tone, but would be a third of the file."""
    return (np.round(samples * FULL_SCALE / QUANTIZATION_STEP) * QUANTIZATION_STEP).astype(np.int16)


def read_aloud(voice: str, text: str, pace: float) -> Samples:
    """`pace` stretches the speech: 1.1 is a tenth slower."""
    spelled = text.replace("Resemble AI", "Resemble A I")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        subprocess.run(  # noqa: S603 - a fixed program and the texts above
            ["/usr/bin/flite", "-voice", voice, "--setf", f"duration_stretch={pace}", "-t", spelled, "-o", str(path)],
            check=True,
        )
        samples, rate = soundfile.read(path)
    if rate != RATE:
        raise SystemExit(f"The sampling rate of voice {voice} is {rate} Hz, not {RATE} Hz.")
    return trim(np.asarray(samples, np.float64))


def trim(samples: Samples) -> Samples:
    """Replace the voice's own silence at both ends with EDGE_SECONDS of silence."""
    samples = samples - samples.mean()
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    edge = np.zeros(round(EDGE_SECONDS * RATE))
    return np.concatenate((edge, samples[loud[0] : loud[-1] + 1], edge))


def set_level(samples: Samples) -> Samples:
    """Scale to SPEECH_DBFS on average, and compress the few peaks above PEAK_DBFS smoothly below it."""
    samples = samples * 10 ** (SPEECH_DBFS / 20) / np.sqrt(np.mean(samples**2))
    peak = 10 ** (PEAK_DBFS / 20)
    knee = 0.7 * peak
    over = np.clip(np.abs(samples) - knee, 0, None)
    bent = knee + (peak - knee) * np.tanh(over / (peak - knee))
    return np.where(over > 0, np.sign(samples) * bent, samples)


def make_room_tone(count: int, rng: np.random.Generator) -> Samples:
    """Make room tone: noise that decreases with frequency, like that of air and buildings."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / RATE), 50.0))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise * 10 ** (ROOM_DBFS / 20) / np.sqrt(np.mean(noise**2)))


if __name__ == "__main__":
    main()
