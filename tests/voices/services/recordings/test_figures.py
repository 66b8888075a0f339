"""The figures of a recording say what its page says of its findings and measures, after each write of these."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audio.datasets.select import compute_levels_quality
from tests.support.html import read_html
from tests.support.task_runner import AUDIO_TASK_KINDS, run_due_tasks
from tests.voices.rows import Studio
from voices.models import FindingSeverity, Recording, RecordingStatus, Voice
from voices.services.builds.clip_pool import load_clip_pool
from voices.services.builds.recording_scores import read_estimates
from voices.services.builds.selection import load_clip_rows
from voices.services.recordings.figures import FIGURES, compute_figures, update_figures
from voices.services.recordings.store import set_transcript

pytestmark = pytest.mark.django_db

NOISY = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": None}
FIXED = {"severity": "put_right", "code": "not_mono", "text": "Stereo.", "advice": "", "at": None}
ERROR = {"severity": "refused", "code": "silent", "text": "Silent.", "advice": "Again.", "at": None}
ODD = {"severity": "odd", "code": "odd", "text": "Odd.", "advice": "", "at": None}
BROKEN = '[{"severity": "lo'
LEVELS = {"snr_db": 31.0, "clipped_share": 0.001, "peak_dbfs": -3.0, "rms_dbfs": -20.0}
MEASURES = {"snr_db": 33.4, "lufs": -19.6, "rms_dbfs": -20.0, "estimates": {"dnsmos_overall": 3.12}}


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def list_figures(recording: Recording) -> list[Any]:
    return list(Recording.objects.filter(pk=recording.pk).values_list(*FIGURES).get())


def compute_stored(recording: Recording) -> list[Any]:
    row = Recording.objects.get(pk=recording.pk)
    figures = compute_figures(row.seconds, row.levels, row.measures, row.findings, row.set_findings)
    return list(figures.values())


@pytest.mark.parametrize(
    ("findings", "set_findings", "severity", "codes"),
    [
        ([], [], FindingSeverity.NONE, ""),
        ([FIXED], [], FindingSeverity.FIXED, ""),
        ([FIXED, NOISY], [], FindingSeverity.WARNING, "noisy"),
        ([], [NOISY], FindingSeverity.WARNING, "noisy"),
        ([NOISY], [ERROR, NOISY], FindingSeverity.ERROR, "noisy"),
        ([ODD], [], FindingSeverity.WARNING, ""),
    ],
)
def test_figures_repeat_findings_and_measures(
    findings: list[Any], set_findings: list[Any], severity: int, codes: str
) -> None:
    figures = compute_figures(4.0, LEVELS, MEASURES, findings, set_findings)
    quality = compute_levels_quality(4.0, LEVELS, [one["code"] for one in findings])
    assert list(figures.values()) == [3.12, 33.4, -19.6, severity, quality, codes]
    assert tuple(figures) == FIGURES


def test_figure_without_its_source_is_empty() -> None:
    assert compute_figures(4.0, LEVELS, {}, [], [])["signal_to_noise"] == 31.0
    nothing = dict.fromkeys(FIGURES)
    assert compute_figures(4.0, None, None, None, None) == nothing
    for unusable in (float("nan"), 10**400, True, "3.1"):
        estimates = {"estimates": {"dnsmos_overall": unusable}}
        assert compute_figures(4.0, LEVELS, estimates, [], [])["quality"] is None, unusable
        assert read_estimates(None, estimates) == {}, unusable
    many = [{**NOISY, "code": f"a_code_of_thirty_letters_{number:05}"} for number in range(17)]
    assert compute_figures(4.0, LEVELS, MEASURES, many, [])["warning_codes"] is None
    assert compute_figures(4.0, LEVELS, MEASURES, [ERROR], [])["loudness"] is None


def test_page_of_a_recording_shows_its_figures(producer_client: Client, studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    rows = Recording.objects.filter(pk=row.pk)
    rows.update(levels=LEVELS, measures=MEASURES, findings=[NOISY], analyzed_at=timezone.now())
    update_figures(rows)
    url = reverse("voices:recording_edit", args=[row.pk])
    quality, noise, loudness, *_ = list_figures(row)
    page = read_html(producer_client.get(url))
    for text in (f"{quality:.2f}", f"{noise:.0f} dB", f"{loudness:.1f} LUFS".replace("-", "−")):
        assert text in page
    rows.update(findings=[ERROR])
    update_figures(rows)
    assert list_figures(row)[1:3] == [None, None]
    page = read_html(producer_client.get(url))
    assert "LUFS" not in page


def test_each_write_of_results_updates_the_figures(studio: Studio, voice: Voice) -> None:
    studio.are_recordings_checked = False
    first, second = studio.make_recordings(voice, 2)
    assert list_figures(first) == compute_stored(first) and list_figures(first)[4] is not None
    run_due_tasks(*AUDIO_TASK_KINDS)
    assert list_figures(first) == compute_stored(first) and Recording.objects.get(pk=first.pk).measures
    set_transcript(first, "Read 12 words.")
    assert "transcript_digits" in list_figures(first)[5] and list_figures(first) == compute_stored(first)
    set_transcript(second, first.transcript)
    voice.recordings.update(seconds=2.0)
    run_due_tasks(*AUDIO_TASK_KINDS)
    for row in (first, second):
        assert Recording.objects.get(pk=row.pk).set_findings and list_figures(row)[3:] == compute_stored(row)[3:]


def test_selection_reads_the_results_of_recordings_without_figures(studio: Studio, voice: Voice) -> None:
    """A figure is empty if the upgrade could not read its source. Then what can be read decides, as before."""
    studio.make_fileless_recordings(voice, 3)
    voice.recordings.update(levels=LEVELS, measures=MEASURES)
    update_figures(voice.recordings.all())
    stored = load_clip_rows(voice)
    assert {row.codes for row in stored} == {("noisy",)} and len({row.quality for row in stored}) == 1
    voice.recordings.filter(pk=stored[0].id).update(warning_codes=None)
    voice.recordings.filter(pk=stored[1].id).update(selection_quality=None)
    read = load_clip_rows(voice, with_levels=True)
    assert [(row.id, row.quality, row.codes) for row in read] == [(row.id, row.quality, row.codes) for row in stored]
    assert {row.levels["lufs"] for row in read} == {-19.6}
    pool = load_clip_pool(voice, [], [])
    assert (pool.count, pool.seconds) == (3, 9.0) and [row.id for row in pool.notable] == [stored[0].id]


def test_code_that_writes_results_updates_the_figures() -> None:
    """A module that writes findings, levels or measures of recordings also writes the figures."""
    writes = re.compile(r"(?:update|move)\([^()]*\b(?:findings|set_findings|measures|levels)=|update_fields=.*findings")
    modules = [path for path in Path("voices").rglob("*.py") if "migrations" not in path.parts]
    writers = {path.name: path.read_text() for path in modules if writes.search(path.read_text())}
    assert {"comparison.py", "cuts.py", "store.py"} <= set(writers)
    assert [name for name, text in writers.items() if "recordings.figures import" not in text] == []


def run_migration() -> None:
    """Run the migration's function on the rows of the test, all still unfilled."""
    voices = MigrationLoader(None).disk_migrations
    (operation,) = [one for one in voices["voices", "0020_figures"].operations if isinstance(one, RunPython)]
    operation.code(cast(Any, apps), cast(Any, None))


def test_migration_fills_rows_and_leaves_out_damaged_results(studio: Studio, voice: Voice) -> None:
    studio.make_fileless_recordings(voice, 1100)
    rows = list(voice.recordings.order_by("file_name"))
    whole, broken, other, odd = rows[:4]
    voice.recordings.update(levels=LEVELS, measures=MEASURES, **dict.fromkeys(FIGURES))
    Recording.objects.filter(pk=odd.pk).update(findings=[{"severity": "look"}])
    Recording.objects.filter(pk=other.pk).update(measures=["not", "an", "object"])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute("UPDATE voices_recording SET findings = %s WHERE id = %s", [BROKEN, broken.pk.hex])
    run_migration()
    assert list_figures(whole) == [3.12, 33.4, -19.6, 2, compute_stored(whole)[4], "noisy"]
    assert voice.recordings.filter(quality=3.12).count() == 1100 - 2
    assert list_figures(other)[:3] == [None, None, None] and list_figures(other)[3] == FindingSeverity.WARNING
    assert list_figures(odd) == [None] * len(FIGURES)
    if connection.vendor == "sqlite":
        assert list_figures(broken) == [3.12, None, None, None, None, None]
        with connection.cursor() as cursor:
            cursor.execute("SELECT findings FROM voices_recording WHERE id = %s", [broken.pk.hex])
            assert cursor.fetchone() == (BROKEN,)
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_orders_put_recordings_without_a_figure_last(viewer_client: Client, studio: Studio, voice: Voice) -> None:
    studio.make_fileless_recordings(voice, 3)
    low, high, unknown = voice.recordings.order_by("file_name")
    for row, figure in ((low, 1.5), (high, 4.5), (unknown, None)):
        Recording.objects.filter(pk=row.pk).update(
            quality=figure, signal_to_noise=figure, loudness=figure, worst_severity=figure and round(figure) // 2
        )
    expected = {
        "worst": [low, high], "best": [high, low], "severe": [high, low], "noisiest": [low, high],
        "loudest": [high, low], "quietest": [low, high],
    }  # fmt: skip
    for sort, rows in expected.items():
        page = viewer_client.get(reverse("voices:recording_table", args=[voice.pk]), {"sort": sort})
        assert list(page.context["page"]) == [*rows, unknown], sort
    assert low.status == RecordingStatus.ACCEPTED
