"""How each score developed over the builds of a voice, as charts."""

from collections.abc import Sequence
from math import ceil, floor

from voicehub.charts import Chart, ChartKind, Limit, Series
from voices.models import Build, Voice
from voices.presenters import build_name
from voices.services.builds.scores import SCORES, ScoreInfo

MAX_BUILDS = 50
MIN_BUILDS = 5  # of fewer builds, the change beside each score says more
LOWEST_SHOWN = 0.6  # the axis starts at the limit of a fair score, unless a score is below it


def load_trends(voice: Voice) -> list[Chart]:
    """A chart for each score that at least five of the newest builds have. Two queries."""
    builds = Build.objects.filter(voice=voice).select_related("remote_voice__account").only(
        "voice", "scores", "remote_voice__tier", "remote_voice__account__provider"
    )  # fmt: skip
    total, newest = builds.count(), list(builds.order_by("-created_at")[:MAX_BUILDS])
    names = [f"Build {total - place}" for place in range(len(newest))]
    by_name = dict(reversed(list(zip(names, newest, strict=True))))
    charts = (_make_trend(info, by_name) for info in SCORES)
    return [chart for chart in charts if len(chart.x_values) >= MIN_BUILDS]


def _make_trend(info: ScoreInfo, builds: dict[str, Build]) -> Chart:
    scored = {name: build for name, build in builds.items() if build.scores.get(info.key) is not None}
    series = tuple(_list_series(info, scored))
    direction = "lower is better" if info.lower_is_better else "higher is better"
    return Chart(
        title=f"{info.label}, {direction}",
        kind=ChartKind.LINE,
        x_label="Build",
        y_label=info.label,
        x_values=tuple(scored),
        series=series,
        limit=Limit("Good, by our limit", info.good_from),
        y_range=_find_range(info, [float(build.scores[info.key]) for build in scored.values()]),
        is_bare=len(series) == 1,
    )


def _find_range(info: ScoreInfo, values: Sequence[float]) -> tuple[float, float]:
    """0.6 to 1, or 0 to 0.4 if lower is better; wider in steps of 0.1 if a score is outside."""
    if info.lower_is_better:
        return 0.0, max(round(1 - LOWEST_SHOWN, 1), min(1.0, ceil(max(values, default=0) * 10) / 10))
    return min(LOWEST_SHOWN, max(0.0, floor(min(values, default=1) * 10) / 10)), 1.0


def _list_series(info: ScoreInfo, scored: dict[str, Build]) -> Sequence[Series]:
    """A line for each provider and tier."""
    targets = dict.fromkeys(build_name(build) for build in scored.values())
    return [
        Series(target, {n: float(b.scores[info.key]) for n, b in scored.items() if build_name(b) == target})
        for target in targets
    ]
