"""Histograms of the scores of a build's recordings, each with VoiceHub's estimate of the same recordings beside it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers import registry
from voicehub.charts import Chart, ChartKind, Series
from voicehub.text import format_minus
from voices.models import Build
from voices.services.builds.recording_scores import RECORDING_SCORES, RecordingScore, RecordingValues, load_values

MIN_VALUES = 5
# A histogram of more recordings would look the same. Of a larger build, so many are read, evenly chosen.
MAX_VALUES = 500
FEW_VALUES = 10
MIN_BINS, MAX_BINS = 3, 12
# So many labels have room for both edges of their bin. Otherwise the drawing names a bin by its lower edge.
MAX_WHOLE_LABELS = 4
BETWEEN = " to "


@dataclass(frozen=True, slots=True)
class Distribution:
    """The histogram of a provider's score, and that of our estimate, if there is one of enough recordings.

    It has one of each `step` recordings.
    """

    score: RecordingScore
    provider_label: str
    chart: Chart
    estimate: Chart | None
    step: int

    @property
    def is_of_few(self) -> bool:
        """Whether the recordings themselves, in the table above, say as much as the histogram."""
        return self.step == 1 and sum(self.chart.series[0].values.values()) < FEW_VALUES


def load_distributions(build: Build, previous: Build | None, names: tuple[str, str]) -> list[Distribution]:
    """Two queries for each build. `names` are those of the build and of the one before it."""
    # The same share of both builds, so that their bars can be compared.
    step = max(math.ceil(one.recordings.count() / MAX_VALUES) for one in (build, previous) if one) or 1
    values = [load_values(build, step), load_values(previous, step) if previous else RecordingValues()]
    label = registry.get_provider_label(build.remote_voice.account.provider)
    return list(_iterate_distributions(values, label, names, step))


def _iterate_distributions(
    values: Sequence[RecordingValues], label: str, names: Sequence[str], step: int
) -> Iterator[Distribution]:
    for score in RECORDING_SCORES:
        rows = [one.scores.get(score.key, ()) for one in values]
        if len(rows[0]) < MIN_VALUES:
            continue
        estimates = [one.estimates.get(score.estimate_key, ()) for one in values]
        has_estimate = len(estimates[0]) >= MIN_VALUES
        yield Distribution(
            score,
            label,
            make_histogram(score.label, score.axis, rows, names),
            make_histogram(score.estimate_label, score.estimate_axis, estimates, names) if has_estimate else None,
            step,
        )


def make_histogram(title: str, axis: str, values: Sequence[Sequence[float]], names: Sequence[str]) -> Chart:
    """A histogram with a series for each list that has values, over common bins."""
    shown = {name: rows for name, rows in zip(names, values, strict=True) if rows}
    together = [value for rows in shown.values() for value in rows]
    # A few values in many bins are single bars with gaps.
    lowest, step, count = choose_bins(together, max(MIN_BINS, min(MAX_BINS, len(together) // 2)))
    labels = tuple(_label_bins(lowest, step, count))
    return Chart(
        title=title,
        kind=ChartKind.BAR,
        x_label=axis,
        y_label="Recordings",
        x_values=labels,
        series=tuple(Series(name, _count_by_bin(rows, lowest, step, labels)) for name, rows in shown.items()),
        ticks={label: label if count <= MAX_WHOLE_LABELS else label.partition(BETWEEN)[0] for label in labels},
    )


def choose_bins(values: Sequence[float], most: int = MAX_BINS) -> tuple[float, float, int]:
    """The lower edge of the first bin, the width of each, a round number, and how many there are, about `most`."""
    low, high = min(values), max(values)
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 0.01
    step = next(factor * power for factor in (1, 2, 5, 10) if raw <= factor * power)
    first = math.floor(low / step + 1e-9)
    return first * step, step, max(1, math.floor(high / step + 1e-9) - first + 1)


def _label_bins(lowest: float, step: float, count: int) -> Iterable[str]:
    """“0.60 to 0.65”, with as many decimals as the step needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    edges = [format_minus(f"{lowest + step * place:z.{decimals}f}") for place in range(count + 1)]
    return (f"{edges[place]}{BETWEEN}{edges[place + 1]}" for place in range(count))


def _count_by_bin(
    values: Sequence[float], lowest: float, step: float, labels: Sequence[str]
) -> Mapping[str | float, float]:
    counts: dict[str | float, float] = dict.fromkeys(labels, 0.0)
    for value in values:
        place = math.floor((value - lowest) / step + 1e-9)
        counts[labels[max(0, min(len(labels) - 1, place))]] += 1
    return counts
