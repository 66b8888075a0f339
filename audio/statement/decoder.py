"""Decodes speech with Pocketsphinx, and reads its dictionary and its most common words. Loads all on first use."""

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
"""Sampling rate of the acoustic model, in Hz."""
FRAMES_PER_SECOND = 100
COMMON_WORD_COUNT = 20_000
"""Number of words that `list_common_words` returns."""
BACKGROUND_WORD_COUNT = 3000
"""Number of the most common words that may be decoded in place of any word of a statement."""

PronunciationVariants = Mapping[str, tuple[str, ...]]
"""Each word with its pronunciations: phones separated by spaces, as in the CMU dictionary."""


@dataclass(frozen=True, slots=True)
class DecodedWord:
    """A decoded word with its start and end in seconds."""

    key: str
    start: float
    end: float


@cache
def load_engine() -> ModuleType | None:
    """Return the pocketsphinx package, or None if it is not installed."""
    try:
        import pocketsphinx
    except ImportError:
        return None
    package: ModuleType = pocketsphinx
    return package


@cache
def load_lexicon() -> dict[str, str]:
    """Return the dictionary of pocketsphinx: words and phones. Other pronunciations have keys such as "word(2)"."""
    with (_get_model_folder() / "cmudict-en-us.dict").open(encoding="ascii") as file:
        return dict(line.rstrip().split(" ", 1) for line in file)


def find_pronunciations(word: str) -> tuple[str, ...]:
    """Return the pronunciations of a word; () if it is not in the dictionary."""
    names = (word, *(f"{word}({number})" for number in range(2, 6)))
    return tuple(load_lexicon()[name] for name in names if name in load_lexicon())


@cache
def list_common_words() -> tuple[str, ...]:
    """Return the most common English words, most common first, ranked by the language model of pocketsphinx."""
    package = load_engine()
    if package is None:
        return ()
    model = package.NGramModel.readfile(str(_get_model_folder() / "en-us.lm.bin"))
    words = [word for word in load_lexicon() if re.fullmatch(r"[a-z']+", word)]
    return tuple(sorted(words, key=lambda word: -model.prob([word]))[:COMMON_WORD_COUNT])


def decode_speech(samples: Float32, model: str, variants: PronunciationVariants) -> list[DecodedWord]:
    """Decode samples at 16 kHz with a language model in ARPA format over the words of `variants`.

    The decoder reads the dictionary and the language model from files. Both are written to a folder that only this user
    can read, and removed afterwards.
    """
    import pocketsphinx

    with tempfile.TemporaryDirectory(prefix="statement-") as folder:
        dictionary_file, model_file = Path(folder) / "words.dict", Path(folder) / "statement.arpa"
        dictionary_file.write_text("".join(_format_dictionary(variants)), "ascii")
        model_file.write_text(model, "ascii")
        decoder = pocketsphinx.Decoder(
            hmm=str(_get_model_folder() / "en-us"), dict=str(dictionary_file), lm=str(model_file), loglevel="FATAL"
        )
        decoder.start_utt()
        decoder.process_raw(np.rint(samples * (FULL_SCALE - 1)).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        return [
            DecodedWord(
                segment.word.split("(")[0],
                segment.start_frame / FRAMES_PER_SECOND,
                (segment.end_frame + 1) / FRAMES_PER_SECOND,
            )
            for segment in decoder.seg() or ()
            if not segment.word.startswith(("<", "["))
        ]


def _get_model_folder() -> Path:
    import pocketsphinx

    return Path(pocketsphinx.get_model_path()) / "en-us"


def _format_dictionary(variants: PronunciationVariants) -> Iterator[str]:
    for word, pronunciations in variants.items():
        for number, phones in enumerate(pronunciations, 1):
            yield f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n"
