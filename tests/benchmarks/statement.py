"""Counts verdicts of the statement check: `python -m tests.benchmarks.statement [--speeds N] [--conditions NAME …]`.

Voices of flite and festival read the right statement and many wrong texts, in four conditions. The table counts the
verdicts. A wrong text must never be accepted. The right statement should be accepted, unless the company's name is in
no dictionary: then staff must listen.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from audio.statement import Verdict, check_statement
from audio.wav.riff import Float32
from tests.benchmarks.readers import CONDITIONS, RATE, Reader, add_quiet_room, list_readers

TEXT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
COMPANY = "Bluebird Media"
RIGHT_TEXT = TEXT.replace("{company}", COMPANY)
STRETCHES = (1.0, 0.87, 1.2)
RIGHT_WORDS = RIGHT_TEXT.split()
SHUFFLED = " ".join(random.Random(7).sample(RIGHT_WORDS, len(RIGHT_WORDS)))  # noqa: S311 - the same each time

RIGHT_READINGS = {
    "right": (COMPANY, RIGHT_TEXT),
    "right, name of two known words": ("Northlight Voices", TEXT.replace("{company}", "Northlight Voices")),
}
REVIEWED_READINGS = {
    "right, name in no dictionary": ("Kaleido Labs", TEXT.replace("{company}", "Kaleido Labs")),
}
WRONG_READINGS = {
    "other company": (COMPANY, TEXT.replace("{company}", "Acme Records")),
    "near company": (COMPANY, TEXT.replace("{company}", "Blue Media")),
    "other company, name in no dictionary": ("Kaleido Labs", RIGHT_TEXT),
    "near company, name in no dictionary": ("Kaleido Labs", TEXT.replace("{company}", "Calypso Labs")),
    "near company, name of two known words": ("Northlight Voices", TEXT.replace("{company}", "Northland Voices")),
    "company left out": (COMPANY, TEXT.replace("by {company} ", "")),
    "I am not aware": (COMPANY, RIGHT_TEXT.replace("am aware", "am not aware")),
    "will never be used": (COMPANY, RIGHT_TEXT.replace("will be", "will never be")),
    "will not be used": (COMPANY, RIGHT_TEXT.replace("will be", "will not be")),
    "not to train": (COMPANY, RIGHT_TEXT.replace("to train", "not to train")),
    "begins late": (COMPANY, RIGHT_TEXT.split("voice ", 1)[1]),
    "stops at the company": (COMPANY, RIGHT_TEXT.split(" to train")[0]),
    "without the last words": (COMPANY, RIGHT_TEXT.split(" of my voice by")[0]),
    "middle left out": (COMPANY, RIGHT_TEXT.replace("will be used by Bluebird Media to train and ", "")),
    "a condition added": (COMPANY, RIGHT_TEXT[:-1] + ", but only until the end of next year."),
    "another provider's words": (
        COMPANY,
        f"I acknowledge that {COMPANY} may use my recorded voice to build a speech model.",
    ),
    "other text": (
        COMPANY,
        "The lighthouse keeper wound the old clock every evening, long before the boats came home.",
    ),
    "other text, longer": (
        COMPANY,
        "Please keep your ticket with you, as you will need it again at the second gate. The river is forty miles"
        " long, and on a quiet day you can hear it from the top of the hill.",
    ),
    "shuffled": (COMPANY, SHUFFLED),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speeds", type=int, default=len(STRETCHES), help="how many speeds of each voice")
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
    options = parser.parse_args()
    voices = list_readers(STRETCHES[: options.speeds])
    if not voices:
        sys.exit("Neither flite nor festival is installed, so there is no reader for the statement.")
    conditions = {name: CONDITIONS[name] for name in options.conditions}
    print(f"{'':38}" + "".join(f"| {name:34}" for name in conditions))
    names = ", ".join(dict.fromkeys(reader.voice for reader in voices))
    print(f"{len(voices)} readers: {names}, {options.speeds} speeds")
    right = [_count_verdicts(name, *reading, voices, conditions) for name, reading in RIGHT_READINGS.items()]
    _ = [_count_verdicts(name, *reading, voices, conditions) for name, reading in REVIEWED_READINGS.items()]
    wrong = [_count_verdicts(name, *reading, voices, conditions) for name, reading in WRONG_READINGS.items()]
    wrong += [_count_sound_verdicts(name, sound, conditions) for name, sound in _make_sounds_without_speech().items()]
    for condition in conditions:
        print(
            f"{condition}: {_format_accepted(right, condition)} right readings accepted,"
            f" {_format_accepted(wrong, condition)} wrong ones"
        )
    _print_speed(voices[0])


def _count_verdicts(
    name: str, company: str, text: str, voices: list[Reader], conditions: dict[str, Callable[[Float32], Float32]]
) -> dict[str, Counter[Verdict]]:
    counts = {
        condition: Counter(_get_verdict(change(voice.read(text)), company) for voice in voices)
        for condition, change in conditions.items()
    }
    return _print_row(name, counts)


def _count_sound_verdicts(
    name: str, sound: Float32, conditions: dict[str, Callable[[Float32], Float32]]
) -> dict[str, Counter[Verdict]]:
    return _print_row(
        name, {condition: Counter([_get_verdict(change(sound), COMPANY)]) for condition, change in conditions.items()}
    )


def _make_sounds_without_speech() -> dict[str, Float32]:
    noise = np.random.default_rng(4).standard_normal(8 * RATE) * 0.1
    times = np.arange(8 * RATE) / RATE
    return {
        "silence": np.zeros(8 * RATE, np.float32),
        "a quiet room": add_quiet_room(np.zeros(8 * RATE, np.float32)),
        "noise": noise.astype(np.float32),
        "a tone": np.asarray(0.3 * np.sin(2 * np.pi * 440 * times), np.float32),
    }


def _get_verdict(sound: Float32, company: str) -> Verdict:
    text = TEXT.replace("{company}", company)
    return check_statement(sound, RATE, text, language="en-US", company=company, talent="").verdict


def _print_row(name: str, counts: dict[str, Counter[Verdict]]) -> dict[str, Counter[Verdict]]:
    cells = (" ".join(f"{verdict.value} {count}" for verdict, count in sorted(row.items())) for row in counts.values())
    print(f"{name:38}" + "".join(f"| {cell:34}" for cell in cells), flush=True)
    return counts


def _format_accepted(tables: list[dict[str, Counter[Verdict]]], condition: str) -> str:
    counts = sum((table[condition] for table in tables), Counter[Verdict]())
    return f"{counts[Verdict.ACCEPT]} of {counts.total()}"


def _print_speed(voice: Reader) -> None:
    sound = voice.read(RIGHT_TEXT)
    start = time.process_time()
    _get_verdict(sound, COMPANY)
    print(f"checked {len(sound) / RATE / (time.process_time() - start):.1f} times as fast as real time, on one core")


if __name__ == "__main__":
    main()
