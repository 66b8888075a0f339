"""Checks whether a statement and its names were read. The result is a verdict, and every word with its time span."""

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
from audio.statement.align import AlignedWord, State, align_words
from audio.statement.language_model import NAME_SHARE, STRICT_NAME_SHARE, build_language_model
from audio.statement.pronunciation import Pronunciation, find_confusable_words, get_pronunciation, map_words_to_sounds
from audio.statement.tokens import NEGATIONS, Role, Token, find_key_words, tokenize
from audio.wav.riff import FULL_SCALE, Float32

LANGUAGE = "en"
MAX_CHECKED_SECONDS = 60.0
MAX_WORDS = 300
"""More than a person can read in MAX_CHECKED_SECONDS."""
DECODING_LEVEL = 10 ** (-24 / 20)
"""Average level of the decoder's input: -24 dBFS."""
MAX_PEAK = 0.98
ALL_RECOGNIZED = "The statement was recognized."


class Verdict(StrEnum):
    """LISTEN: not every word was checked, so a person must listen. RETAKE: the sound is too poor to check."""

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
"""The verdict for each finding code. Of several findings in a take, the code that stands first here decides."""


@dataclass(frozen=True, slots=True)
class StatementCheck:
    """Advice to the person who listens. It is neither a decision nor a proof that a human read the statement.

    `match` is the share of the statement's words that were recognized (0..1, None if unchecked). It does not count
    doubtful words. `why` explains the verdict.
    """

    verdict: Verdict
    why: str
    match: float | None = None
    words: tuple[AlignedWord, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the values for a JSON column."""
        return {
            "verdict": self.verdict.value,
            "why": self.why,
            "match": self.match if self.match is None else round(self.match, 3),
            "words": [word.as_dict() for word in self.words],
            "findings": [found.as_dict() for found in self.findings],
        }


def check_statement(
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
    """Check whether `text`, which contains the two names as written, is read in mono samples of -1..1 at `rate` Hz.

    `sounds_like` maps words or names as written to equally many ordinary English words that sound the same. Anything
    may be said in place of a blank such as {company} in `text`. Only the first minute of the samples is checked. A
    check takes about 1/17 of their duration, and 80 MB of memory on the first call in a process. It never raises.
    """
    statement = tokenize(text, company=company, talent=talent)
    if reason := _find_unchecked_reason(statement, language):
        return _build_check([make_finding("statement_unjudged", reason=reason)])
    sounds_by_word = map_words_to_sounds(sounds_like)
    pronunciations = {token.key: get_pronunciation(token, sounds_by_word) for token in statement}
    if not any(one.variants for one in pronunciations.values()):
        return _build_check(
            [make_finding("statement_unjudged", reason="the pronunciation of all its words is unknown")]
        )
    sound = _remove_dc(samples[: int(MAX_CHECKED_SECONDS * rate)])
    if poor := list(_find_poor_sound(sound, rate, thresholds)):
        return _build_check(poor)
    decoding = _Decoding.from_statement(sound, rate, statement, pronunciations)
    words = align_words(statement, pronunciations, decoding.decode_words(), len(sound) / rate)
    match = _compute_match(words)
    found = [
        *_find_problems(words, match, find_key_words(statement), thresholds),
        *_check_echo(words, sound, rate, thresholds),
    ]
    if not found and (uncertain := _list_compound_names(words)):
        strict_words = align_words(
            statement, pronunciations, decoding.decode_words(STRICT_NAME_SHARE), len(sound) / rate
        )
        found += _check_uncertain_names(uncertain, strict_words)
    return _build_check(found, match, words)


def _build_check(
    found: Sequence[Finding], match: float | None = None, words: Sequence[AlignedWord] = ()
) -> StatementCheck:
    codes = [one.code for one in found]
    verdict = next((verdict for code, verdict in VERDICTS.items() if code in codes), Verdict.ACCEPT)
    texts = [one.text for one in found if VERDICTS[one.code] is verdict]
    return StatementCheck(verdict, " ".join(texts) or ALL_RECOGNIZED, match, tuple(words), tuple(found))


def _find_unchecked_reason(statement: Sequence[Token], language: str) -> str:
    """Return why this statement cannot be checked; "" if it can."""
    if language.replace("_", "-").split("-")[0].lower() != LANGUAGE:
        return "only English can be checked"
    if decoder.load_engine() is None:
        return "the speech recognizer is not installed"
    if not any(token.key for token in statement):
        return "the statement has no words"
    if len(statement) > MAX_WORDS:
        return f"the statement has more than {MAX_WORDS} words"
    return ""


def _remove_dc(samples: Float32) -> Float32:
    """Return finite samples without DC offset."""
    sound = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(sound - sound.mean() if len(sound) else sound, np.float32)


def _find_poor_sound(sound: Float32, rate: int, thresholds: Thresholds) -> Iterator[Finding]:
    speech_seconds = detect_speech(sound, rate).seconds
    if speech_seconds < thresholds.statement_speech_seconds:
        yield make_finding("statement_too_short", seconds=speech_seconds)
        return
    frames = FrameStatistics(rate)
    frames.add((np.clip(sound, -1, 1) * (FULL_SCALE - 1)).astype(np.int16))
    if (snr := frames.build_power_profile().compute_snr()) < thresholds.statement_snr_db:
        yield make_finding("statement_too_noisy", snr=snr)


@dataclass(frozen=True, slots=True)
class _Decoding:
    """The sound, and the words that may be decoded: the statement's, negations, and others that sound different."""

    sound: Float32
    tokens: list[Token]
    variants: decoder.PronunciationVariants
    confusable_words: Mapping[str, Sequence[str]]

    @classmethod
    def from_statement(
        cls, sound: Float32, rate: int, statement: Sequence[Token], pronunciations: Mapping[str, Pronunciation]
    ) -> "_Decoding":
        known_tokens = [
            token if pronunciations[token.key].variants else Token(token.text, "", token.role) for token in statement
        ]
        variants = {key: one.variants for key, one in pronunciations.items() if one.variants}
        names = dict.fromkeys(token.key for token in known_tokens if token.is_name and token.key)
        confusable_words = {name: find_confusable_words(name, variants[name][0]) for name in names}
        other_words = {
            word: decoder.find_pronunciations(word)
            for word in (*decoder.list_common_words()[: decoder.BACKGROUND_WORD_COUNT], *NEGATIONS)
        }
        for found in confusable_words.values():
            other_words |= {word: (variant,) for word, variant in found.items()}
        of_statement = {variant for one in variants.values() for variant in one}
        variants = {
            word: found for word, found in sorted(other_words.items()) if found and not of_statement.intersection(found)
        } | variants
        kept = {name: [word for word in found if word in variants] for name, found in confusable_words.items()}
        return cls(
            _normalize_level(soxr.resample(sound, rate, decoder.RATE, quality="HQ")), known_tokens, variants, kept
        )

    def decode_words(self, name_share: float = NAME_SHARE) -> list[decoder.DecodedWord]:
        """Return the decoded words. With a small `name_share`, a name is recognized only if it is said clearly."""
        model = build_language_model(self.tokens, self.variants.keys(), self.confusable_words, name_share)
        return decoder.decode_speech(self.sound, model, self.variants)


def _normalize_level(sound: Float32) -> Float32:
    gain = min(DECODING_LEVEL / np.sqrt(np.mean(sound**2)), MAX_PEAK / np.abs(sound).max())
    return np.asarray(sound * gain, np.float32)


def _compute_match(words: Sequence[AlignedWord]) -> float:
    counted = [word.state for word in words if word.state in (State.RECOGNIZED, State.MISSING)]
    return counted.count(State.RECOGNIZED) / len(counted) if counted else 0.0


def _find_problems(
    words: Sequence[AlignedWord], match: float, key_words: frozenset[str], thresholds: Thresholds
) -> Iterator[Finding]:
    if match < thresholds.statement_reject_match:
        yield make_finding("statement_not_read", share=match)
        return
    for word in words:
        if word.token is None and word.state is not State.DOUBTFUL and word.text in NEGATIONS:
            yield make_finding("statement_negated", at=word.start, word=word.text)
    yield from _check_names(words)
    missing = [word for word in words if word.state is State.MISSING and word.token and not word.token.is_name]
    if match < thresholds.statement_accept_match or any(word.token and word.token.key in key_words for word in missing):
        yield from _report_missing(missing)
    yield from _check_added_words(words, thresholds)


def _check_names(words: Sequence[AlignedWord]) -> Iterator[Finding]:
    for code, role in (("statement_company", Role.COMPANY), ("statement_talent", Role.TALENT)):
        of_name = [word for word in words if word.token and word.token.role is role]
        if missing := [word for word in of_name if word.state is State.MISSING]:
            yield make_finding(
                code, at=missing[0].start, name=_quote_words(missing), recognized=_describe_other_names(words)
            )
    doubtful = [word for word in words if word.state is State.DOUBTFUL and word.token and not word.is_blank]
    if doubtful:
        yield make_finding("statement_name_doubtful", at=doubtful[0].start, words=_quote_words(doubtful))


def _check_echo(words: Sequence[AlignedWord], sound: Float32, rate: int, thresholds: Thresholds) -> Iterator[Finding]:
    """Report names recognized in a reverberant room, where a name is easily confused with a similar name."""
    recognized = [word for word in words if word.token and word.token.is_name and word.state is State.RECOGNIZED]
    if recognized and (measure_reverberation(sound, rate) or 0.0) > thresholds.statement_echo_seconds:
        yield make_finding("statement_name_in_echo", at=recognized[0].start, words=_quote_words(recognized))


def _list_compound_names(words: Sequence[AlignedWord]) -> list[AlignedWord]:
    """Return the words of names that are not in the dictionary as a whole: many other names sound similar."""
    return [
        word for word in words if word.token and word.token.is_name and not decoder.find_pronunciations(word.token.key)
    ]


def _check_uncertain_names(names: Sequence[AlignedWord], strict_words: Sequence[AlignedWord]) -> Iterator[Finding]:
    recognized = {word.token.key for word in strict_words if word.token and word.state is State.RECOGNIZED}
    if uncertain := [word for word in names if word.token and word.token.key not in recognized]:
        yield make_finding(
            "statement_name_unsure",
            at=uncertain[0].start,
            words=_quote_words(uncertain),
            other=_describe_other_names(strict_words),
        )


def _report_missing(missing: Sequence[AlignedWord]) -> Iterator[Finding]:
    if missing:
        yield make_finding("statement_words_missing", at=missing[0].start, words=_quote_words(missing))


def _check_added_words(words: Sequence[AlignedWord], thresholds: Thresholds) -> Iterator[Finding]:
    """Report the words between two recognized words if they are many more than the statement has there."""
    for is_gap, group in groupby(words, key=lambda word: word.state is not State.RECOGNIZED):
        gap = list(group)
        inserted = [word for word in gap if word.token is None]
        missing = [word for word in gap if word.token is not None]
        has_doubtful = any(word.state is State.DOUBTFUL for word in missing)
        if is_gap and not has_doubtful and len(inserted) - len(missing) >= thresholds.statement_added_words:
            yield make_finding("statement_words_added", at=inserted[0].start, words=_quote_words(inserted))


def _describe_other_names(words: Sequence[AlignedWord]) -> str:
    recognized = " ".join(word.text for word in words if word.state is State.OTHER_NAME)
    return f"something like “{recognized}”" if recognized else "nothing"


def _quote_words(words: Sequence[AlignedWord]) -> str:
    return ", ".join(f"“{word.text}”" for word in words)
