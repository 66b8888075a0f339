"""The recordings of a build with their results, as lines of CSV."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet

from audio.transcripts.cleaning import escape_cell
from voicehub.sound_report import format_code
from voices.models import Build, BuildRecording
from voices.services.builds.recording_scores import read_estimates
from voices.services.builds.scores import order_worst_first
from voices.services.recordings.inclusion import EXCLUSION_REASONS


class EchoWriter:
    """A file for `csv.writer` whose `write` returns the line instead of storing it."""

    def write(self, text: str) -> str:
        return text


CSV_COLUMNS = (
    "file", "transcript", "seconds", "sha256", "stoi", "pesq", "si_sdr", "sample_score",
    "active", "outlier", "silent", "from_callback", "discarded", "signal_to_noise_ratio", "loudness_grade", "emotion",
    "reported", "our_findings", "our_quality", "our_dnsmos", "our_stoi", "our_si_sdr", "our_signal_to_noise_ratio",
    "our_level_dbfs", "our_peak_dbfs", "our_speech_seconds", "in_builds", "in_builds_decided_by", "left_out_because",
)  # fmt: skip
# Large recording columns that the file does not contain.
DEFERRED_FIELDS = ("peaks", "fine_peaks", "findings", "set_findings", "sound_features", "recipe", "speaker_result")


def query_csv_rows(build: Build) -> QuerySet[BuildRecording]:
    return order_worst_first(build).defer(*(f"recording__{name}" for name in DEFERRED_FIELDS))


def generate_csv_lines(rows: QuerySet[BuildRecording]) -> Iterator[str]:
    writer = csv.writer(EchoWriter(), quoting=csv.QUOTE_ALL)
    yield str(writer.writerow(CSV_COLUMNS))
    for row in rows.iterator(chunk_size=500):
        yield str(writer.writerow([escape_formula(value) for value in _list_cells(row)]))


def _list_cells(row: BuildRecording) -> tuple[object, ...]:
    return (
        row.recording.file_name, row.transcript, row.recording.seconds, row.sha256, row.stoi, row.pesq, row.si_sdr,
        row.sample_score, row.is_active, row.is_outlier, row.is_silent, row.from_callback,
        row.discard_reason, row.signal_to_noise_ratio, row.loudness_grade, row.emotion, row.has_report,
        *_list_own_cells(row),
    )  # fmt: skip


def _list_own_cells(row: BuildRecording) -> tuple[object, ...]:
    """What VoiceHub itself found: the findings when the build started, the measures and the inclusion of today."""
    recording, levels = row.recording, row.recording.levels
    estimates = read_estimates(recording.quality, recording.measures)
    return (
        "; ".join(format_code(code) for code in row.finding_codes),
        *(estimates.get(key) for key in ("quality", "dnsmos_overall", "stoi", "si_sdr", "snr_db")),
        *(levels.get(key) for key in ("rms_dbfs", "peak_dbfs", "speech_seconds")),
        recording.active and recording.is_usable,
        recording.get_active_by_display(),
        EXCLUSION_REASONS.get(recording.exclusion_code, recording.exclusion_code),
    )


def escape_formula(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would read as a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    return escape_cell(value) if isinstance(value, str) else value
