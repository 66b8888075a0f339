"""The recordings of a build with their results, as lines of CSV."""

import csv
from collections.abc import Iterable, Iterator

from voices.models import BuildRecording


class EchoWriter:
    """A file for `csv.writer` whose `write` returns the line instead of storing it."""

    def write(self, text: str) -> str:
        return text


CSV_COLUMNS = (
    "file", "transcript", "seconds", "sha256", "stoi", "pesq", "si_sdr", "sample_score",
    "active", "outlier", "silent", "from_callback", "discarded", "signal_to_noise_ratio", "loudness_grade", "emotion",
)  # fmt: skip


def generate_csv_lines(rows: Iterable[BuildRecording]) -> Iterator[str]:
    writer = csv.writer(EchoWriter(), quoting=csv.QUOTE_ALL)
    yield str(writer.writerow(CSV_COLUMNS))
    for row in rows:
        yield str(writer.writerow([escape_formula(value) for value in _list_cells(row)]))


def _list_cells(row: BuildRecording) -> tuple[object, ...]:
    return (
        row.recording.file_name, row.transcript, row.recording.seconds, row.sha256, row.stoi, row.pesq, row.si_sdr,
        row.sample_score, row.is_active, row.is_outlier, row.is_silent, row.from_callback,
        row.discard_reason, row.signal_to_noise_ratio, row.loudness_grade, row.emotion,
    )  # fmt: skip


def escape_formula(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would read as a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")):
        return f"'{value}"
    return value
