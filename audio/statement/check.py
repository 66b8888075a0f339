"""Was this statement, with these names, really read? The verdict, with every word and where it was heard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import soxr

from audio.analysis.spectrum import measure_reverberation
from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.measure import FrameStatistics
from audio.networks.vad import detect_speech
from audio.statement import decoder
from audio.statement.align import AlignedWord, State, align
from audio.statement.language_model import NAME_SHARE, STRICT_NAME_SHARE, language_model
from audio.statement.pronunciation import Saying, rivals, saying, word_by_word
from audio.statement.tokens import NEGATIONS, Role, Token, key_words, tokens
from audio.wav.riff import FULL_SCALE, Float32

LANGUAGE = "en"
JUDGED_SECONDS = 60.0
MOST_WORDS = 300
"""More than anybody reads in the time that is judged."""
LEVEL = 10 ** (-24 / 20)
"""The average level that is decoded at: -24 dBFS."""
HIGHEST_PEAK = 0.98


HEARD = "The statement was heard."


class Verdict(StrEnum):
    """LISTEN: not judged, or not to the end, a person must listen. RETAKE: too poor a sound to judge by."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"
    RETAKE = "retake"
    LISTEN = "listen"


VERDICTS = {
    "statement_unjudged": Verdict.LISTEN,
    "statement_too_short": Verdict.RETAKE,
    "statement_too_noisy": Verdict.RETAKE,
    "statement_not_read": Verdict.REJECT,
    "statement_negated": Verdict.REVIEW,
    "statement_company": Verdict.REVIEW,
    "statement_talent": Verdict.REVIEW,
    "statement_words_missing": Verdict.REVIEW,
    "statement_words_added": Verdict.REVIEW,
    "statement_name_doubtful": Verdict.LISTEN,
    "statement_name_in_echo": Verdict.LISTEN,
    "statement_name_unsure": Verdict.LISTEN,
}
"""What each finding leads to; the first in this order that was found decides."""


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """What came out: advice to the person who listens, never a decision, and no proof that a human read it.

    `match` is the share of the statement's words that were heard (0..1, None if not judged), doubtful ones not counted.
    `why` tells the verdict in plain words.
    """

    verdict: Verdict
    why: str
    match: float | None = None
    words: tuple[AlignedWord, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column."""
        return {
            "verdict": self.verdict.value,
            "why": self.why,
            "match": self.match if self.match is None else round(self.match, 3),
            "words": [word.as_dict() for word in self.words],
            "findings": [found.as_dict() for found in self.findings],
        }


def check(
    samples: Float32,
    rate: int,
    text: str,
    *,
    language: str,
    company: str,
    talent: str,
    sounds_like: Mapping[str, str] = {},
    thresholds: Thresholds = THRESHOLDS,
) -> StatementCheck:
    """Listen for `text`, in which the two names stand as written, in mono samples of -1..1 at `rate` Hz.

    `sounds_like` gives, for words or names as written, as many ordinary English words that sound the same. {braces} in
    the text are blanks in which anything may be said. Takes about a seventeenth of the time that is listened to (the
    first minute), and 80 MB in a process that never did it before. No input raises.
    """
    statement = tokens(text, company=company, talent=talent)
    if reason := _unjudged(statement, language):
        return _judged([make_finding("statement_unjudged", reason=reason)])
    told = word_by_word(sounds_like)
    sayings = {token.key: saying(token, told) for token in statement}
    if not any(one.ways for one in sayings.values()):
        return _judged([make_finding("statement_unjudged", reason="nobody can say how it sounds")])
    sound = _cleaned(samples[: int(JUDGED_SECONDS * rate)])
    if poor := list(_poor(sound, rate, thresholds)):
        return _judged(poor)
    hearing = _Hearing.of(sound, rate, statement, sayings)
    words = align(statement, sayings, hearing.heard(), len(sound) / rate)
    match = _match(words)
    found = [*_findings(words, match, key_words(statement), thresholds), *_in_echo(words, sound, rate, thresholds)]
    if not found and (unsure := _composed(words)):
        strictly = align(statement, sayings, hearing.heard(STRICT_NAME_SHARE), len(sound) / rate)
        found += _unsure(unsure, strictly)
    return _judged(found, match, words)


def _judged(found: Sequence[Finding], match: float | None = None, words: Sequence[AlignedWord] = ()) -> StatementCheck:
    codes = [one.code for one in found]
    verdict = next((verdict for code, verdict in VERDICTS.items() if code in codes), Verdict.ACCEPT)
    telling = [one.text for one in found if VERDICTS[one.code] is verdict]
    return StatementCheck(verdict, " ".join(telling) or HEARD, match, tuple(words), tuple(found))


def _unjudged(statement: Sequence[Token], language: str) -> str:
    """Why nothing can be said of this statement; "" if it can be listened for."""
    if language.replace("_", "-").split("-")[0].lower() != LANGUAGE:
        return "only English can be checked"
    if decoder.engine() is None:
        return "the speech recogniser is not installed"
    if not any(token.key for token in statement):
        return "it has no words"
    if len(statement) > MOST_WORDS:
        return f"it has more than {MOST_WORDS} words"
    return ""


def _cleaned(samples: Float32) -> Float32:
    """Finite and without DC."""
    sound = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(sound - sound.mean() if len(sound) else sound, np.float32)


def _poor(sound: Float32, rate: int, thresholds: Thresholds) -> Iterator[Finding]:
    spoken = detect_speech(sound, rate).seconds
    if spoken < thresholds.statement_speech_seconds:
        yield make_finding("statement_too_short", seconds=spoken)
        return
    frames = FrameStatistics(rate)
    frames.add((np.clip(sound, -1, 1) * (FULL_SCALE - 1)).astype(np.int16))
    if (snr := frames.build_power_profile().compute_snr()) < thresholds.statement_snr_db:
        yield make_finding("statement_too_noisy", snr=snr)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """What to listen for: the statement, its negations, and common words that sound unlike its words."""

    sound: Float32
    said: list[Token]
    ways: decoder.Pronunciations
    rivals: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, sound: Float32, rate: int, statement: Sequence[Token], sayings: Mapping[str, Saying]) -> "_Hearing":
        said = [token if sayings[token.key].ways else Token(token.shown, "", token.role) for token in statement]
        ways = {key: one.ways for key, one in sayings.items() if one.ways}
        near = {token.key: rivals(token.key, ways[token.key][0]) for token in said if token.is_name and token.key}
        others = {
            word: decoder.lookup(word) for word in (*decoder.common_words()[: decoder.BACKGROUND_WORDS], *NEGATIONS)
        }
        for found in near.values():
            others |= {word: (way,) for word, way in found.items()}
        taken = {way for one in ways.values() for way in one}
        ways = {word: found for word, found in sorted(others.items()) if found and not taken.intersection(found)} | ways
        known = {name: [word for word in found if word in ways] for name, found in near.items()}
        return cls(_levelled(soxr.resample(sound, rate, decoder.RATE, quality="HQ")), said, ways, known)

    def heard(self, name_share: float = NAME_SHARE) -> list[decoder.Said]:
        """What is decoded; the smaller the share, the surer a name that is still heard."""
        model = language_model(self.said, self.ways.keys(), self.rivals, name_share)
        return decoder.decode(self.sound, model, self.ways)


def _levelled(sound: Float32) -> Float32:
    gain = min(LEVEL / np.sqrt(np.mean(sound**2)), HIGHEST_PEAK / np.abs(sound).max())
    return np.asarray(sound * gain, np.float32)


def _match(words: Sequence[AlignedWord]) -> float:
    counted = [word.state for word in words if word.state in (State.HEARD, State.MISSING)]
    return counted.count(State.HEARD) / len(counted) if counted else 0.0


def _findings(
    words: Sequence[AlignedWord], match: float, keys: frozenset[str], thresholds: Thresholds
) -> Iterator[Finding]:
    if match < thresholds.statement_reject_match:
        yield make_finding("statement_not_read", share=match)
        return
    for word in words:
        if word.token is None and word.state is not State.DOUBTFUL and word.text in NEGATIONS:
            yield make_finding("statement_negated", at=word.start, word=word.text)
    yield from _names(words)
    missing = [word for word in words if word.state is State.MISSING and word.token and not word.token.is_name]
    if match < thresholds.statement_accept_match or any(word.token and word.token.key in keys for word in missing):
        yield from _missing(missing)
    yield from _added(words, thresholds)


def _names(words: Sequence[AlignedWord]) -> Iterator[Finding]:
    for code, role in (("statement_company", Role.COMPANY), ("statement_talent", Role.TALENT)):
        of_name = [word for word in words if word.token and word.token.role is role]
        if lacking := [word for word in of_name if word.state is State.MISSING]:
            yield make_finding(code, at=lacking[0].start, name=_listed(lacking), heard=_instead(words))
    doubtful = [word for word in words if word.state is State.DOUBTFUL and word.token and not word.is_blank]
    if doubtful:
        yield make_finding("statement_name_doubtful", at=doubtful[0].start, words=_listed(doubtful))


def _in_echo(words: Sequence[AlignedWord], sound: Float32, rate: int, thresholds: Thresholds) -> Iterator[Finding]:
    """Where the room answers, a name is too easily taken for one that sounds nearly alike."""
    heard = [word for word in words if word.token and word.token.is_name and word.state is State.HEARD]
    if heard and (measure_reverberation(sound, rate) or 0.0) > thresholds.statement_echo_seconds:
        yield make_finding("statement_name_in_echo", at=heard[0].start, words=_listed(heard))


def _composed(words: Sequence[AlignedWord]) -> list[AlignedWord]:
    """Names that were heard, and that the dictionary knows only in parts: many others are nearly alike."""
    return [word for word in words if word.token and word.token.is_name and not decoder.lookup(word.token.key)]


def _unsure(names: Sequence[AlignedWord], strictly: Sequence[AlignedWord]) -> Iterator[Finding]:
    sure = {word.token.key for word in strictly if word.token and word.state is State.HEARD}
    if unsure := [word for word in names if word.token and word.token.key not in sure]:
        yield make_finding("statement_name_unsure", at=unsure[0].start, words=_listed(unsure), other=_instead(strictly))


def _missing(missing: Sequence[AlignedWord]) -> Iterator[Finding]:
    if missing:
        yield make_finding("statement_words_missing", at=missing[0].start, words=_listed(missing))


def _added(words: Sequence[AlignedWord], thresholds: Thresholds) -> Iterator[Finding]:
    """Where much more was said between two words of the statement than should stand there."""
    for is_gap, group in groupby(words, key=lambda word: word.state is not State.HEARD):
        gap = list(group)
        more = [word for word in gap if word.token is None]
        lacking = [word for word in gap if word.token is not None]
        open_ended = any(word.state is State.DOUBTFUL for word in lacking)
        if is_gap and not open_ended and len(more) - len(lacking) >= thresholds.statement_added_words:
            yield make_finding("statement_words_added", at=more[0].start, words=_listed(more))


def _instead(words: Sequence[AlignedWord]) -> str:
    heard = " ".join(word.text for word in words if word.state is State.OTHER_NAME)
    return f"something like “{heard}”" if heard else "nothing"


def _listed(words: Sequence[AlignedWord]) -> str:
    return ", ".join(f"“{word.text}”" for word in words)
