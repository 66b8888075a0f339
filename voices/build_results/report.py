"""The report of a build as PDF: facts, scores, what changed, the worst recordings, evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from django.utils import timezone

from providers import registry
from voicehub.sound_report import format_code
from voicehub.text import format_count, format_date, format_decimals, format_duration, format_time, get_language_name
from voices.build_results.gauges import Gauge, make_gauges
from voices.build_results.marks import list_marks
from voices.build_results.timeline import make_timeline
from voices.models import Build, BuildRecording
from voices.presenters import build_name, describe_handover, tier_label
from voices.services.builds.changes import (
    BuildChanges,
    ChangedRecordings,
    find_previous_build,
    load_changes,
    number_build,
)
from voices.services.builds.options import list_shown_options
from voices.services.builds.recording_scores import RECORDING_SCORES, RecordingScore, RecordingValues, load_values
from voices.services.builds.scores import order_worst_first

if TYPE_CHECKING:
    from voicehub.pdf_report import PdfReport

MAX_RECORDINGS = 40
REPLACED_TEXT = "“?” stands for a character that the font of this report lacks. The CSV export has it."
SHORTENED_TEXT = "“…” ends a text that is shortened here. The CSV export, or the page of the build, has the whole text."
LARGE_FIELDS = ("peaks", "fine_peaks", "levels", "findings", "set_findings", "sound_features", "measures")


@dataclass(frozen=True, slots=True)
class ReportData:
    """What the report is made of, loaded with a constant number of queries."""

    build: Build
    number: int
    previous_number: int
    gauges: Sequence[Gauge]
    changes: BuildChanges | None
    values: RecordingValues
    rows: Sequence[BuildRecording]
    count: int
    seconds: float

    @property
    def provider(self) -> str:
        return registry.get_provider_label(self.build.remote_voice.account.provider)


def load_report(build: Build) -> ReportData:
    previous = find_previous_build(build)
    rows = order_worst_first(build).defer(*(f"recording__{name}" for name in LARGE_FIELDS))
    lengths = list(build.recordings.order_by().values_list("recording__seconds", flat=True))
    return ReportData(
        build,
        number_build(build),
        number_build(previous) if previous else 0,
        make_gauges(build, previous),
        load_changes(build, previous) if previous else None,
        load_values(build),
        list(rows[:MAX_RECORDINGS]),
        len(lengths),
        sum(lengths),
    )


def make_report(build: Build) -> bytes:
    """The PDF. Its times are those of the studio's time zone."""
    from voicehub.pdf_report import PdfReport

    data, now = load_report(build), timezone.now()
    title = f"Build {data.number} of {build.voice.name}"
    report = PdfReport(title, f"{title} · VoiceHub, {format_time(now)}", now)
    report.add_text(f"{build_name(build)}: {build.get_status_display().lower()}")
    if build.issue:
        report.add_text(f"“{build.issue}”", is_quiet=True)
    report.add_facts(list(_list_facts(data)))
    _add_timeline(report, build)
    _add_scores(report, data)
    _add_recording_scores(report, data)
    if data.changes:
        _add_changes(report, data, data.changes)
    _add_recordings(report, data)
    _add_evidence(report, build)
    if report.has_shortened:
        report.add_text(SHORTENED_TEXT, is_quiet=True)
    if report.has_replaced:
        report.add_text(REPLACED_TEXT, is_quiet=True)
    return report.make_bytes()


def _list_facts(data: ReportData) -> Iterator[tuple[str, str]]:
    build, voice = data.build, data.build.voice
    yield "Voice", f"{voice.name}, {get_language_name(voice.language)}, {voice.get_purpose_display().lower()}"
    yield "Talent", voice.talent.shown_name
    yield "Provider", f"{data.provider}, {tier_label(build).lower()}, account {build.remote_voice.account.name}"
    yield "Started", f"{format_time(build.created_at)} by {build.started_by}"
    yield "Recordings", f"{data.count}, {format_duration(data.seconds)} together"
    yield "Sent as", describe_handover(build, data.count, data.seconds)
    yield from ((option.label, option.text) for option in list_shown_options(build))


def _add_timeline(report: "PdfReport", build: Build) -> None:
    report.add_heading("Timeline")
    rows = [
        (step.label, format_time(step.at) if step.at else "–", step.duration or "–") for step in make_timeline(build)
    ]
    report.add_table(("Step", "From", "Duration"), rows, widths=(4, 5, 3))


def _add_scores(report: "PdfReport", data: ReportData) -> None:
    report.add_heading(f"Quality scores of {data.provider}")
    if not data.gauges:
        report.add_text("The provider gave no scores.")
        return
    before = f"Since build {data.previous_number}" if data.previous_number else "Change"
    rows = [
        (
            gauge.info.label,
            f"{gauge.value:.2f}",
            gauge.verdict.capitalize(),
            f"{'Lower' if gauge.info.lower_is_better else 'Higher'} is better, good: {gauge.limit_text}",
            _describe_change(gauge),
        )
        for gauge in data.gauges
    ]
    report.add_table(("Score", "Value", "Verdict", "Direction and limit", before), rows, widths=(4, 2, 2, 6, 4))
    report.add_text("No provider states a limit: the limits for a good score are VoiceHub's.", is_quiet=True)


def _describe_change(gauge: Gauge) -> str:
    """As on the page, with a sign in place of the arrow, which the font lacks."""
    return gauge.change_text.replace("▲ ", "+").replace("▼ ", "−") or "–"


def _add_recording_scores(report: "PdfReport", data: ReportData) -> None:
    scores = {score.label: data.values.scores.get(score.key, ()) for score in RECORDING_SCORES}
    estimates = {score.estimate_label: data.values.estimates.get(score.estimate_key, ()) for score in RECORDING_SCORES}
    for heading, values in ((f"Recording scores of {data.provider}", scores), ("Our estimates", estimates)):
        rows = [(label, *_summarize(found)) for label, found in values.items() if found]
        if rows:
            report.add_heading(heading)
            report.add_table(("Score", "Recordings", "Lowest", "Median", "Highest"), rows, widths=(4, 3, 2, 2, 2))


def _summarize(values: Sequence[float]) -> tuple[str, ...]:
    return (str(len(values)), *map(format_decimals, (min(values), median(values), max(values))))


def _add_changes(report: "PdfReport", data: ReportData, changes: BuildChanges) -> None:
    report.add_heading(f"Changes since build {data.previous_number}")
    terms = "The same consent and contract" if changes.has_same_terms else "Another consent or contract"
    report.add_facts([*((label, _describe_changed(changed)) for label, changed in changes.ways), ("Permission", terms)])


def _describe_changed(changed: ChangedRecordings) -> str:
    if not changed.count:
        return "None"
    more = f" and {changed.more_count} more" if changed.more_count else ""
    count = format_count(changed.count, "recording", "recordings")
    return f"{count}, {format_duration(changed.seconds)}: {', '.join(changed.names)}{more}"


def _add_recordings(report: "PdfReport", data: ReportData) -> None:
    report.add_heading("Recordings, worst first")
    if data.count > len(data.rows):
        report.add_text(f"The first {len(data.rows)} of {data.count}. The CSV export has all.", is_quiet=True)
    scores = [score for score in RECORDING_SCORES if data.values.scores.get(score.key)][:3]
    headings = ("Recording", "Transcript", *(score.label for score in scores), "Flags of the provider", "Our findings")
    rows = [_list_cells(row, scores) for row in data.rows]
    report.add_table(headings, rows, widths=(5, 8, *(2 for _ in scores), 4, 4))


def _list_cells(row: BuildRecording, scores: Sequence[RecordingScore]) -> tuple[str, ...]:
    values = (getattr(row, score.key) for score in scores)
    marks = ", ".join(label for _tone, label in list_marks(row))
    reason = f": {row.discard_reason}" if row.discard_reason else ""
    return (
        row.recording.file_name,
        row.transcript,
        *map(format_decimals, values),
        f"{marks}{reason}" or ("None" if row.has_report else "Not reported"),
        ", ".join(format_code(code) for code in row.finding_codes) or "None",
    )


def _add_evidence(report: "PdfReport", build: Build) -> None:
    consent, contract = build.consent, build.contract
    report.add_heading("Evidence")
    approved = f", approved on {format_date(consent.approved_at)}" if consent.approved_at else ""
    label = registry.get_provider_label(consent.provider)
    report.add_facts(
        [
            ("Consent", f"{label}, {consent.get_purpose_display().lower()}{approved}"),
            ("Statement (SHA-256)", consent.text_sha256),
            ("Contract", f"Signed on {format_date(contract.signed_on)}, {contract.file_name}"),
            ("Contract (SHA-256)", contract.sha256),
            ("Build", str(build.pk)),
            ("Voice at the provider", build.remote_voice.remote_id or "–"),
        ]
    )
