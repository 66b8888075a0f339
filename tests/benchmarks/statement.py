"""How the statement check judges readings: `python -m tests.benchmarks.statement [--speeds N] [--conditions NAME …]`.

Voices of flite and festival read the right statement and many wrong ones, in four conditions. The table counts the
verdicts. What must not happen is a wrong text that is accepted; what should is a right one that is,
unless no dictionary knows the name: then a person is asked to listen.
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
from tests.benchmarks.readers import CONDITIONS, RATE, Reader, quiet_room, readers

TEXT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
COMPANY = "Bluebird Media"
RIGHT = TEXT.replace("{company}", COMPANY)
STRETCHES = (1.0, 0.87, 1.2)
SHUFFLED = " ".join(random.Random(7).sample(RIGHT.split(), len(RIGHT.split())))  # noqa: S311 - the same each time

RIGHT_READINGS = {
    "right": (COMPANY, RIGHT),
    "right, name of two known words": ("Northlight Voices", TEXT.replace("{company}", "Northlight Voices")),
}
LISTENED_READINGS = {
    "right, name in no dictionary": ("Kaleido Labs", TEXT.replace("{company}", "Kaleido Labs")),
}
WRONG_READINGS = {
    "other company": (COMPANY, TEXT.replace("{company}", "Acme Records")),
    "near company": (COMPANY, TEXT.replace("{company}", "Blue Media")),
    "other company, name in no dictionary": ("Kaleido Labs", RIGHT),
    "near company, name in no dictionary": ("Kaleido Labs", TEXT.replace("{company}", "Calypso Labs")),
    "near company, name of two known words": ("Northlight Voices", TEXT.replace("{company}", "Northland Voices")),
    "company left out": (COMPANY, TEXT.replace("by {company} ", "")),
    "I am not aware": (COMPANY, RIGHT.replace("am aware", "am not aware")),
    "will never be used": (COMPANY, RIGHT.replace("will be", "will never be")),
    "will not be used": (COMPANY, RIGHT.replace("will be", "will not be")),
    "not to train": (COMPANY, RIGHT.replace("to train", "not to train")),
    "begins late": (COMPANY, RIGHT.split("voice ", 1)[1]),
    "stops at the company": (COMPANY, RIGHT.split(" to train")[0]),
    "without the last words": (COMPANY, RIGHT.split(" of my voice by")[0]),
    "middle left out": (COMPANY, RIGHT.replace("will be used by Bluebird Media to train and ", "")),
    "a condition added": (COMPANY, RIGHT[:-1] + ", but only until the end of next year."),
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
    chosen = parser.parse_args()
    voices = readers(STRETCHES[: chosen.speeds])
    if not voices:
        sys.exit("Neither flite nor festival is installed: there is nobody to read the statement.")
    conditions = {name: CONDITIONS[name] for name in chosen.conditions}
    print(f"{'':38}" + "".join(f"| {name:34}" for name in conditions))
    print(f"{len(voices)} readers: {', '.join(dict.fromkeys(one.voice for one in voices))}, {chosen.speeds} speeds")
    right = [_table(name, *pair, voices, conditions) for name, pair in RIGHT_READINGS.items()]
    _ = [_table(name, *pair, voices, conditions) for name, pair in LISTENED_READINGS.items()]
    wrong = [_table(name, *pair, voices, conditions) for name, pair in WRONG_READINGS.items()]
    wrong += [_sounds(name, sound, conditions) for name, sound in _without_words().items()]
    for condition in conditions:
        print(
            f"{condition}: {_accepted(right, condition)} right readings accepted,"
            f" {_accepted(wrong, condition)} wrong ones"
        )
    _speed(voices[0])


def _table(
    name: str, company: str, said: str, voices: list[Reader], conditions: dict[str, Callable[[Float32], Float32]]
) -> dict[str, Counter[Verdict]]:
    counts = {
        condition: Counter(_verdict(change(voice.read(said)), company) for voice in voices)
        for condition, change in conditions.items()
    }
    return _shown(name, counts)


def _sounds(
    name: str, sound: Float32, conditions: dict[str, Callable[[Float32], Float32]]
) -> dict[str, Counter[Verdict]]:
    return _shown(
        name, {condition: Counter([_verdict(change(sound), COMPANY)]) for condition, change in conditions.items()}
    )


def _without_words() -> dict[str, Float32]:
    noise = np.random.default_rng(4).standard_normal(8 * RATE) * 0.1
    times = np.arange(8 * RATE) / RATE
    return {
        "silence": np.zeros(8 * RATE, np.float32),
        "a quiet room": quiet_room(np.zeros(8 * RATE, np.float32)),
        "noise": noise.astype(np.float32),
        "a tone": np.asarray(0.3 * np.sin(2 * np.pi * 440 * times), np.float32),
    }


def _verdict(sound: Float32, company: str) -> Verdict:
    text = TEXT.replace("{company}", company)
    return check_statement(sound, RATE, text, language="en-US", company=company, talent="").verdict


def _shown(name: str, counts: dict[str, Counter[Verdict]]) -> dict[str, Counter[Verdict]]:
    cells = (" ".join(f"{verdict.value} {count}" for verdict, count in sorted(one.items())) for one in counts.values())
    print(f"{name:38}" + "".join(f"| {cell:34}" for cell in cells), flush=True)
    return counts


def _accepted(tables: list[dict[str, Counter[Verdict]]], condition: str) -> str:
    counts = sum((table[condition] for table in tables), Counter[Verdict]())
    return f"{counts[Verdict.ACCEPT]} of {counts.total()}"


def _speed(voice: Reader) -> None:
    sound = voice.read(RIGHT)
    start = time.process_time()
    _verdict(sound, COMPANY)
    print(f"checked {len(sound) / RATE / (time.process_time() - start):.1f} times as fast as it is spoken, on one core")


if __name__ == "__main__":
    main()
