"""Pocketsphinx, loaded when it is first needed: its dictionary, its commonest words, and one decoding."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from audio.wav.riff import FULL_SCALE, Float32

RATE = 16000
"""What the acoustic model was made for, in Hz."""
FRAMES_PER_SECOND = 100
COMMON_WORDS = 20_000
BACKGROUND_WORDS = 3000
"""The commonest of them, which may be said instead of any word of a statement."""

PronunciationVariants = Mapping[str, tuple[str, ...]]
"""Each word with the ways to say it; a way is phones with spaces between, as in the CMU dictionary."""


@dataclass(frozen=True, slots=True)
class DecodedWord:
    """A word that was decoded, with its start and end in seconds."""

    key: str
    start: float
    end: float


@cache
def load_engine() -> ModuleType | None:
    """The pocketsphinx package, or None where it is not installed."""
    try:
        import pocketsphinx
    except ImportError:
        return None
    package: ModuleType = pocketsphinx
    return package


@cache
def load_lexicon() -> dict[str, str]:
    """The dictionary of the wheel: words and their phones; further ways to say a word are under "word(2)" …"""
    with (_get_model_folder() / "cmudict-en-us.dict").open(encoding="ascii") as file:
        return dict(line.rstrip().split(" ", 1) for line in file)


def find_pronunciations(word: str) -> tuple[str, ...]:
    """The ways to say a word; () if the dictionary lacks it."""
    names = (word, *(f"{word}({number})" for number in range(2, 6)))
    return tuple(load_lexicon()[name] for name in names if name in load_lexicon())


@cache
def list_common_words() -> tuple[str, ...]:
    """The commonest words of English, most common first, as the language model of the wheel ranks them."""
    package = load_engine()
    if package is None:
        return ()
    model = package.NGramModel.readfile(str(_get_model_folder() / "en-us.lm.bin"))
    words = [word for word in load_lexicon() if re.fullmatch(r"[a-z']+", word)]
    return tuple(sorted(words, key=lambda word: -model.prob([word]))[:COMMON_WORDS])


def decode_speech(samples: Float32, model: str, ways: PronunciationVariants) -> list[DecodedWord]:
    """What is said in samples at 16 kHz, by a language model in ARPA form over the words of `ways`.

    The two files that the decoder wants are written where only this user can read them, and removed.
    """
    import pocketsphinx

    with tempfile.TemporaryDirectory(prefix="statement-") as folder:
        words, grammar = Path(folder) / "words.dict", Path(folder) / "statement.arpa"
        words.write_text("".join(_format_dictionary(ways)), "ascii")
        grammar.write_text(model, "ascii")
        decoder = pocketsphinx.Decoder(
            hmm=str(_get_model_folder() / "en-us"), dict=str(words), lm=str(grammar), loglevel="FATAL"
        )
        decoder.start_utt()
        decoder.process_raw(np.rint(samples * (FULL_SCALE - 1)).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        return [
            DecodedWord(
                part.word.split("(")[0], part.start_frame / FRAMES_PER_SECOND, (part.end_frame + 1) / FRAMES_PER_SECOND
            )
            for part in decoder.seg() or ()
            if not part.word.startswith(("<", "["))
        ]


def _get_model_folder() -> Path:
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"


def _format_dictionary(ways: PronunciationVariants) -> Iterator[str]:
    for word, said in ways.items():
        for number, phones in enumerate(said, 1):
            yield f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n"
