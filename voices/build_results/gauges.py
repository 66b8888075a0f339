"""The scores of a finished build as gauges: the value, VoiceHub's limit for a good one, and the change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voicehub.text import format_minus
from voices.models import Build
from voices.services.builds.changes import COMPARED_STATUSES
from voices.services.builds.scores import SCORES, ScoreInfo

TONES = {"good": "good", "fair": "wait", "poor": "bad"}
LEAST_CHANGE = 0.005  # below it, two scores look the same


@dataclass(frozen=True, slots=True)
class Gauge:
    """One score of a build. `previous` is the same score of the build before, if it has one."""

    info: ScoreInfo
    value: float
    previous: float | None = None

    @property
    def verdict(self) -> str:
        return self.info.get_verdict(self.value)

    @property
    def tone(self) -> str:
        return TONES[self.verdict]

    @property
    def arc(self) -> str:
        """The part of the arc that is filled, of 100, for an SVG attribute."""
        return f"{100 * max(0.0, min(1.0, self.value)):.1f}"

    @property
    def mark_angle(self) -> str:
        """Where the limit of a good score is: degrees from the left end of the arc, for an SVG attribute."""
        return f"{180 * self.info.good_from:.1f}"

    @property
    def limit_text(self) -> str:
        return f"{self.info.good_from:.2f} or {'less' if self.info.lower_is_better else 'more'}"

    @property
    def limit_note(self) -> str:
        """What the mark on the arc is: “Good from 0.80”."""
        return f"Good {'up to' if self.info.lower_is_better else 'from'} {self.info.good_from:.2f}"

    @property
    def change(self) -> float | None:
        return None if self.previous is None else self.value - self.previous

    @property
    def change_tone(self) -> str:
        """“good”, “bad”, or empty if the score is the same or there is none to compare with."""
        if self.change is None or abs(self.change) < LEAST_CHANGE:
            return ""
        return "good" if (self.change < 0) == self.info.lower_is_better else "bad"

    @property
    def change_text(self) -> str:
        """“▲ 0.03, better”: whether the number went up, and whether that is better."""
        if self.change is None:
            return ""
        if not self.change_tone:
            return "No change"
        word = "better" if self.change_tone == "good" else "worse"
        return f"{'▲' if self.change > 0 else '▼'} {format_minus(f'{abs(self.change):.2f}')}, {word}"


@dataclass(frozen=True, slots=True)
class NumberedBuild:
    """A build of a voice with its number, and by key its scores with their change since the build before."""

    build: Build
    number: int
    scores: Mapping[str, Gauge]

    @property
    def cells(self) -> list[Gauge | None]:
        """One for each score, in their order."""
        return [self.scores.get(info.key) for info in SCORES]


def number_builds(builds: Sequence[Build], total: int) -> list[NumberedBuild]:
    """The newest builds of a voice, the newest first, of `total` builds. No query."""
    rows = []
    for place, build in enumerate(builds):
        earlier = (one for one in builds[place + 1 :] if _is_comparable(one, build))
        gauges = make_gauges(build, next(earlier, None))
        rows.append(NumberedBuild(build, total - place, {gauge.info.key: gauge for gauge in gauges}))
    return rows


def _is_comparable(earlier: Build, build: Build) -> bool:
    """As `find_previous_build`: the same provider and tier, with a result."""
    one, other = earlier.remote_voice, build.remote_voice
    is_same = (one.account.provider, one.tier) == (other.account.provider, other.tier)
    return is_same and earlier.status in COMPARED_STATUSES


def make_gauges(build: Build, previous: Build | None = None) -> list[Gauge]:
    return list(_iterate_gauges(build, previous))


def _iterate_gauges(build: Build, previous: Build | None) -> Iterator[Gauge]:
    for info in SCORES:
        value = build.scores.get(info.key)
        before = previous.scores.get(info.key) if previous else None
        if value is not None:
            yield Gauge(info, float(value), None if before is None else float(before))
