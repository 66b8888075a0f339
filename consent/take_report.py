"""What programs heard in a take, put before people: the statement word by word, the voice, the sound. All of it is an
opinion: it refuses nothing, but against some of it one approves only with a written reason."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audio.findings.catalog_sound import CODES as OF_SOUND
from consent.models import Take
from consent.models.take import TakeCheck
from consent.services.approval import find_objections
from voicehub.sound_report import Chip, Fact, make_chip, make_facts, make_time_mark, merge_measures

COMPARISON_TIME = timedelta(minutes=1)  # that the voice may take to be compared, after all else was checked
PUNCTUATION = ".,;:!?\"'“”‘’()"
UNSURE_STATES = {"doubtful", "missing"}
NAME_TOKENS = {"company", "talent"}
SEPARATE_PREFIXES = ("statement_", "take_")  # begin the codes of what is told with the words and with the voice

VERDICTS = {
    "accept": ("good", "Heard as it stands here"),
    "review": ("wait", "Listen closely"),
    "reject": ("bad", "Something else was heard"),
    "retake": ("wait", "Hard to hear"),
    "listen": ("over", "Words not checked: listen yourself"),
}
SPEAKER_VERDICTS = {
    "same": ("good", "The same person, by the sound of it", "The same person from"),
    "unsure": ("wait", "Perhaps another person", "The same person from"),
    "different": ("bad", "Another person, by the sound of it", "Another person below"),
    "unchecked": ("over", "Voice not compared: listen yourself", ""),
}
# How a word is marked, and what the legend says of it.
WORD_STATES = {
    "heard": "heard",
    "doubtful": "not sure",
    "missing": "not heard",
    "inserted": "said besides",
    "other_company": "another company",
}


@dataclass(frozen=True, slots=True)
class WordReport:
    """A word of the statement, or one that was said besides it; `play` is empty where it has no place."""

    text: str
    state: str
    play: str

    @property
    def note(self) -> str:
        """What somebody who does not see the mark is told."""
        return "" if self.state == "heard" else WORD_STATES.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """The comparison with the recordings."""

    tone: str
    title: str
    text: str
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TakeReport:
    """A take with what is known of its check."""

    take: Take
    check: TakeCheck | None

    @property
    def is_waiting(self) -> bool:
        """The check is on its way."""
        return self.check is not None and self.check.checked_at is None

    @property
    def is_comparing(self) -> bool:
        """All is checked but the voice, which is compared with the recordings, if there are any."""
        if self.check is None or self.check.checked_at is None or self.check.error or self.check.speaker:
            return False
        return timezone.now() - self.check.checked_at < COMPARISON_TIME

    @property
    def stage(self) -> str:
        """How far the check is: changes when there is more to show."""
        return "waiting" if self.is_waiting else "comparing" if self.is_comparing else "done"

    @property
    def statement(self) -> Mapping[str, Any]:
        return self.check.statement if self.check else {}

    @property
    def verdict(self) -> tuple[str, str] | None:
        """Tone and title of the verdict on the words."""
        return VERDICTS.get(str(self.statement.get("verdict")), VERDICTS["listen"]) if self.statement else None

    @property
    def statement_chips(self) -> list[Chip]:
        """What the check of the words found, each with its place."""
        return [make_chip(one) for one in self.statement.get("findings") or ()]

    @property
    def words(self) -> list[WordReport]:
        return [_make_word_report(one) for one in self.statement.get("words") or ()]

    @property
    def legend(self) -> list[tuple[str, str, int]]:
        """(state, what it means, how many) of the states that occur."""
        counts = Counter(word.state for word in self.words)
        return [(state, meaning, counts[state]) for state, meaning in WORD_STATES.items() if counts[state]]

    @property
    def unsure_names(self) -> list[str]:
        """Words of the company's and the talent's name that were not surely heard, as they are written."""
        words = self.statement.get("words") or ()
        unsure = [word for word in words if word["state"] in UNSURE_STATES and word.get("role") in NAME_TOKENS]
        return list(dict.fromkeys(str(word["text"]).strip(PUNCTUATION) for word in unsure))

    @property
    def objections(self) -> tuple[str, ...]:
        """What was heard that calls for a written reason before the take is approved."""
        return find_objections(self.take)

    @property
    def speaker(self) -> SpeakerReport | None:
        return _make_speaker_report(self.check.speaker) if self.check and self.check.speaker else None

    @property
    def facts(self) -> list[Fact]:
        """The sound in lines with a verdict each. A deep look at it takes the place of the quick one."""
        more, deeper = (self.check.measures, self.check.findings) if self.check else ({}, [])
        quick = [one for one in self.take.findings if not more or one["code"] not in OF_SOUND]
        found = [one for one in (*quick, *deeper) if not one["code"].startswith(SEPARATE_PREFIXES)]
        of_file = {"sample_rate": self.take.sample_rate, "seconds": self.take.seconds, "size": self.take.size}
        return make_facts({**merge_measures(self.take.levels, more), **of_file}, found)


def make_take_report(take: Take) -> TakeReport:
    """The take with its check, if there is one."""
    return TakeReport(take, getattr(take, "check_made", None))


def _make_word_report(said: Mapping[str, Any]) -> WordReport:
    start = said.get("start")
    state = said["state"] if said["state"] in WORD_STATES else "doubtful"
    return WordReport(
        str(said["text"]), state, "" if start is None else make_time_mark(float(start), before=0.1).play_from
    )


def _truncate_score(score: float | None) -> float | None:
    """To hundredths and not rounded, so that nobody reads that 0.75 is below 0.75."""
    return None if score is None else math.floor(score * 100 + 1e-9) / 100


def _make_speaker_report(match: Mapping[str, Any]) -> SpeakerReport:
    tone, title, limit = SPEAKER_VERDICTS.get(str(match.get("verdict")), SPEAKER_VERDICTS["unchecked"])
    figures = (
        ("Likeness", _truncate_score(match.get("score")), "{:.2f}"),
        (limit, match.get("threshold"), "{:.2f}"),
        ("Wrong in tests", match.get("error_rate"), "{:.1%}"),
        ("Compared with", match.get("compared_with"), "{} recordings"),
    )
    judged = match.get("score") is not None
    written = tuple((name, form.format(value)) for name, value, form in figures if judged and value is not None)
    return SpeakerReport(tone, title, str(match.get("text", "")), written)
