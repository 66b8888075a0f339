"""The page that shows developers every component of docs/design.md in every state."""

from datetime import UTC, datetime
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from voicehub.charts import Chart, ChartKind, Limit, Series

STATUSES = [
    ("good", "Ready"),
    ("wait", "Contract ends in 12 days"),
    ("bad", "Build failed"),
    ("busy", "Training"),
    ("new", "To review"),
    ("idle", "Not asked"),
]
# The same states on pages that name the tone of a state in Python.
TONES = [
    ("good", "Ready"),
    ("new", "To review"),
    ("wait", "Waiting"),
    ("bad", "Failed"),
    ("busy", "Training"),
    ("over", "Ended"),
]
# The tiles of eight voices, and their sizes.
TILES = [(UUID(int=number * 0x0B5D39E0C07), size) for number, size in enumerate(("big", "small", *[""] * 6), start=1)]
# Name, transcript, length, our estimate, and the class of its grade.
RECORDINGS = [
    ("guide-022", "It weighs almost two tons, and it took nine people to lift it.", "6.9 s", "1.9", "is-poor"),
    ("guide-035", "Follow the blue line on the floor to reach the next room.", "6.6 s", "2.9", "is-fair"),
    ("guide-003", "The keeper lived here alone, with a cat and two hundred books.", "7.2 s", "3.3", "is-fair"),
    ("guide-001", "You can hear one of them by pressing the button.", "7.1 s", "4.5", ""),
]
# The class of the chip of each recording's finding, and the finding.
FINDINGS = [("is-bad", "Clipped"), ("is-wait", "Background noise"), ("", "Upsampled"), ("is-good", "Repaired")]
BUILDS = ("Build 1", "Build 2", "Build 3", "Build 4", "Build 5")
BINS = ("0.5 to 0.6", "0.6 to 0.7", "0.7 to 0.8", "0.8 to 0.9", "0.9 to 1")
CHARTS = [
    Chart(
        title="Sample scores",
        kind=ChartKind.BAR,
        x_label="Score",
        y_label="Recordings",
        x_values=BINS,
        series=(
            Series("This build", dict(zip(BINS, (1, 3, 8, 21, 9), strict=True))),
            Series("Build before", dict(zip(BINS, (4, 6, 9, 12, 4), strict=True))),
        ),
    ),
    Chart(
        title="Similarity over the builds",
        kind=ChartKind.LINE,
        x_label="Build",
        y_label="Similarity",
        x_values=BUILDS,
        series=(
            Series("Rapid", {"Build 1": 0.62, "Build 2": 0.71, "Build 4": 0.78}),
            Series("Professional", {"Build 3": 0.81, "Build 5": 0.88}),
        ),
        limit=Limit("Threshold", 0.7),
        y_range=(0, 1),
    ),
    Chart(
        title="Length and loudness",
        kind=ChartKind.SCATTER,
        x_label="Seconds",
        y_label="LUFS",
        x_values=(2.1, 3.4, 4.8, 6.0, 7.3),
        series=(Series("Recordings", {2.1: -24.5, 3.4: -23.1, 4.8: -19.8, 6.0: -22.4, 7.3: -21.9}),),
    ),
]

STARTED_AT = datetime(2025, 11, 3, 11, 52, tzinfo=UTC)
# The steps of a build that is ready, of one in progress, and of one that failed: name, state, and how long it took.
TIMELINES = [
    [
        ("Queued", "done", "18 s"),
        ("Sending", "done", "1 min 46 s"),
        ("Training", "done", "38 min"),
        ("Ready", "good", ""),
    ],
    [("Queued", "done", "18 s"), ("Sending", "done", "1 min 46 s"), ("Training", "now", ""), ("Result", "next", "")],
    [("Queued", "done", "18 s"), ("Sending", "done", "4 s"), ("Needs work", "wait", "")],
    [("Queued", "done", "2 s"), ("Failed", "bad", "")],
    [("Queued", "done", "2 s"), ("Canceled", "idle", "")],
]
# Name, value, tone, verdict, mark of a good score, change and its tone.
GAUGES = [
    ("Overall", 0.94, "good", "good", "0.80 or more", 144, "▲ 0.03, better", "good"),
    ("Similarity", 0.71, "wait", "fair", "0.80 or more", 144, "▼ 0.02, worse", "bad"),
    ("Fluency", 0.42, "bad", "poor", "0.80 or more", 144, "No change", ""),
    ("Unintended pauses", 0.14, "good", "good", "0.20 or less", 36, "", ""),
]


def make_timelines() -> list[tuple[str, list[dict[str, object]]]]:
    """Each with the name of the step that it stands at."""
    return [
        (
            next(label for label, state, _duration in steps if state not in ("done", "next")),
            [
                {"label": label, "state": state, "duration": duration, "at": None if state == "next" else STARTED_AT}
                for label, state, duration in steps
            ],
        )
        for steps in TIMELINES
    ]


def make_gauges() -> list[dict[str, object]]:
    return [
        {
            "info": {"key": label, "label": label, "lower_is_better": angle < 90, "meaning": "", "advice": ""},
            "value": value, "arc": value * 100, "tone": tone, "verdict": verdict, "limit_text": limit,
            "mark_angle": angle, "change": change or None, "change_text": change, "change_tone": change_tone,
        }
        for label, value, tone, verdict, limit, angle, change, change_tone in GAUGES
    ]  # fmt: skip


@require_safe
@permission_required("voicehub.view_user", raise_exception=True)  # only admins may see the users
def show_components(request: HttpRequest) -> HttpResponse:
    rows = [(*recording, *finding) for recording, finding in zip(RECORDINGS, FINDINGS, strict=True)]
    context: dict[str, object] = {
        "statuses": STATUSES,
        "tones": TONES,
        "tiles": TILES,
        "recordings": rows,
        "charts": CHARTS,
    }
    context |= {"timelines": make_timelines(), "gauges": make_gauges()}
    return render(request, "components.html", context)
