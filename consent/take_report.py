"""The check results of a take for the page: the statement word by word, the speaker, the audio quality.

All results are advice and block nothing, but some require a written reason for the approval.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audio.analysis.measures import merge_measures
from audio.findings.catalog_sound import CODES as SOUND_CODES
from audio.networks.speaker_match import describe_compared
from consent.models import Take
from consent.models.take import TakeCheck
from consent.services.approval import find_objections
from consent.services.voice_comparison import is_comparison_allowed
from voicehub.sound_report import NO_PROBLEM, Chip, Fact, list_reasons, make_chip, make_facts, make_time_mark
from voicehub.text import format_count

COMPARISON_TIME = timedelta(minutes=1)  # maximum wait for the speaker comparison after the other checks
PUNCTUATION = ".,;:!?\"'“”‘’()"
UNSURE_STATES = {"doubtful", "missing"}
NAME_TOKENS = {"company", "talent"}
SEPARATE_PREFIXES = ("statement_", "take_")  # codes of findings that are shown with the statement and the speaker

VERDICTS = {
    "accept": ("good", "Matches the statement"),
    "review": ("wait", "Listen closely"),
    "reject": ("bad", "Different words recognized"),
    "retake": ("wait", "Hard to understand"),
    "listen": ("over", "Not checked"),
}
SPEAKER_VERDICTS = {
    "same": ("good", "Same person", "Same person from"),
    "unsure": ("wait", "Unclear", "Same person from"),
    "different": ("bad", "Different person", "Different person below"),
    "waiting": ("wait", "Waiting for recordings to compare", ""),
    "unchecked": ("over", "Not compared", ""),
}
# For each state of a word, its description in the legend.
WORD_STATES = {
    "heard": "recognized",
    "doubtful": "uncertain",
    "missing": "not recognized",
    "inserted": "added",
    "other_company": "another company",
}


@dataclass(frozen=True, slots=True)
class WordReport:
    """A word of the statement, or an additional spoken word. `play` is empty if the word's position is unknown."""

    text: str
    state: str
    play: str

    @property
    def note(self) -> str:
        """The state as text for screen readers; empty for a recognized word."""
        return "" if self.state == "heard" else WORD_STATES.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """The comparison of the take's speaker with the talent's recordings and earlier takes."""

    tone: str
    title: str
    text: str
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TakeReport:
    """A take with the results of its check, and whether the talent allows that their voice is compared."""

    take: Take
    check: TakeCheck | None
    is_comparison_allowed: bool

    @property
    def is_waiting(self) -> bool:
        """Whether the check is pending."""
        return self.check is not None and self.check.checked_at is None

    @property
    def is_comparing(self) -> bool:
        """Whether only the speaker comparison is pending."""
        if self.check is None or self.check.checked_at is None or self.check.error or self.check.speaker:
            return False
        return self.is_comparison_allowed and timezone.now() - self.check.checked_at < COMPARISON_TIME

    @property
    def stage(self) -> str:
        """Progress of the check. It changes when the page has more results to show."""
        return "waiting" if self.is_waiting else "comparing" if self.is_comparing else "done"

    @property
    def statement(self) -> Mapping[str, Any]:
        return self.check.statement if self.check else {}

    @property
    def verdict(self) -> tuple[str, str] | None:
        """Tone and title of the verdict on the statement."""
        return VERDICTS.get(str(self.statement.get("verdict")), VERDICTS["listen"]) if self.statement else None

    @property
    def statement_chips(self) -> list[Chip]:
        """The findings of the statement check, each with its position."""
        return [make_chip(finding) for finding in self.statement.get("findings") or ()]

    @property
    def words(self) -> list[WordReport]:
        return [_make_word_report(word) for word in self.statement.get("words") or ()]

    @property
    def legend(self) -> list[tuple[str, str, int]]:
        """(state, description, count) of each state that occurs."""
        counts = Counter(word.state for word in self.words)
        return [(state, meaning, counts[state]) for state, meaning in WORD_STATES.items() if counts[state]]

    @property
    def recognized(self) -> str:
        """How many words of the statement were recognized."""
        words = [word for word in self.words if word.state != "inserted"]
        return f"{sum(word.state == 'heard' for word in words)} of {format_count(len(words), 'word', 'words')}"

    @property
    def unsure_names(self) -> list[str]:
        """Words of the company's and the talent's name that were not clearly recognized, in their written form."""
        words = self.statement.get("words") or ()
        unsure = [word for word in words if word["state"] in UNSURE_STATES and word.get("role") in NAME_TOKENS]
        return list(dict.fromkeys(str(word["text"]).strip(PUNCTUATION) for word in unsure))

    @property
    def objections(self) -> tuple[str, ...]:
        """Check results that require a written reason for the approval."""
        return find_objections(self.take)

    @property
    def speaker(self) -> SpeakerReport | None:
        if self.check is None or not self.check.speaker or not self.is_comparison_allowed:
            return None
        return _make_speaker_report(self.check.speaker)

    @property
    def facts(self) -> list[Fact]:
        """Audio quality facts, each with a verdict. Background analysis replaces the quick level check."""
        take, check = self.take, self.check
        measures, analyzed = (check.measures, check.findings) if check else ({}, [])
        quick = [finding for finding in take.findings if not measures or finding["code"] not in SOUND_CODES]
        findings = [finding for finding in (*quick, *analyzed) if not finding["code"].startswith(SEPARATE_PREFIXES)]
        file_facts = {"sample_rate": take.sample_rate, "seconds": take.seconds, "size": take.size}
        sound = {**merge_measures(take.levels, measures), **file_facts}
        missing = [Fact("Speech model", "", missing=str(reason)) for reason in list_reasons(measures.get("missing"))]
        return make_facts(sound, findings, is_analyzed=bool(measures)) + missing

    @property
    def passed_sound_checks(self) -> int:
        """The number of audio quality facts, if none has a problem."""
        facts = self.facts
        return len(facts) if all(fact.tone == NO_PROBLEM[0] for fact in facts) else 0


def make_take_report(take: Take, is_allowed: bool | None = None) -> TakeReport:
    """`is_allowed` says whether the talent allows the voice comparison, if the caller knows it."""
    allowed = is_comparison_allowed(take.consent.talent_id) if is_allowed is None else is_allowed
    return TakeReport(take, getattr(take, "check_made", None), allowed)


def _make_word_report(word: Mapping[str, Any]) -> WordReport:
    start = word.get("start")
    state = word["state"] if word["state"] in WORD_STATES else "doubtful"
    play = "" if start is None else make_time_mark(float(start), before=0.1).play_from
    return WordReport(str(word["text"]), state, play)


def _truncate_score(score: float | None) -> float | None:
    """Truncate the score to hundredths. Rounding could show a score below the threshold 0.75 as 0.75."""
    return None if score is None else math.floor(score * 100 + 1e-9) / 100


def _make_speaker_report(match: Mapping[str, Any]) -> SpeakerReport:
    tone, title, threshold_label = SPEAKER_VERDICTS.get(str(match.get("verdict")), SPEAKER_VERDICTS["unchecked"])
    figures: tuple[tuple[str, Any, str], ...] = (
        ("Similarity", _truncate_score(match.get("score")), "{:.2f}"),
        (threshold_label, match.get("threshold"), "{:.2f}"),
        ("Error rate in tests", match.get("error_rate"), "{:.1%}"),
        ("Compared with", describe_compared(int(match.get("compared_with") or 0), int(match.get("takes") or 0)), "{}"),
    )
    if match.get("score") is None:
        figures = ()
    formatted = tuple((name, template.format(value)) for name, value, template in figures if value is not None)
    return SpeakerReport(tone, title, str(match.get("text", "")), formatted)
