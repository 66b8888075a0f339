"""The results of a build as CSV and as PDF."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf import PdfReader

from consent.models import Contract, Talent
from tests.support.html import read_html
from tests.voices.rows import Studio
from voices.build_results.report import MAX_RECORDINGS, REPLACED_TEXT, SHORTENED_TEXT
from voices.models import Account, Build, BuildRecording, Recording, Voice
from voices.views.build_csv import CSV_COLUMNS

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_csv(client: Client, build: Build) -> list[dict[str, str]]:
    response = client.get(reverse("voices:build_export", args=[build.pk]))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]  # the response is streamed
    return list(csv.DictReader(io.StringIO(text, newline="")))


def read_pdf(client: Client, build: Build) -> str:
    response = client.get(reverse("voices:build_report", args=[build.pk]))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf")
    assert ".pdf" in response.headers["Content-Disposition"]
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


def make_reported_build(studio: Studio, **fields: Any) -> Build:
    build = studio.make_build(status="ready", scores={"resemble_score": 0.94, "pauses": 0.14}, **fields)
    build.recordings.update(has_report=True, stoi=0.91, si_sdr=-3.5, finding_codes=["silence_at_end"])
    return build


# --- CSV ---------------------------------------------------------------------------------


def test_csv_has_our_findings_and_measures_and_what_is_in_builds(viewer_client: Client, studio: Studio) -> None:
    build = make_reported_build(studio)
    first, second, _third = build.recordings.order_by("recording__file_name")
    measures = {"snr_db": 41.5, "estimates": {"dnsmos_overall": 3.25, "stoi": 0.8}}
    Recording.objects.filter(pk=first.recording_id).update(
        quality=3.5, measures=measures, levels={"rms_dbfs": -23.5, "peak_dbfs": -3.0, "speech_seconds": 3.5}
    )
    Recording.objects.filter(pk=second.recording_id).update(active=False, active_by="check", exclusion_code="clipping")
    rows = read_csv(viewer_client, build)
    assert tuple(rows[0]) == CSV_COLUMNS
    ours = {name: value for name, value in rows[0].items() if name.startswith(("our_", "in_", "left_", "reported"))}
    assert ours == {
        "reported": "True",
        "our_findings": "Silence at end",
        "our_quality": "3.5",
        "our_dnsmos": "3.25",
        "our_stoi": "0.8",
        "our_si_sdr": "",
        "our_signal_to_noise_ratio": "41.5",
        "our_level_dbfs": "-23.5",
        "our_peak_dbfs": "-3.0",
        "our_speech_seconds": "3.5",
        "in_builds": "True",
        "in_builds_decided_by": "Not decided",
        "left_out_because": "",
    }
    assert rows[1]["in_builds"] == "False"
    assert rows[1]["left_out_because"] == "clipped"


def test_csv_and_pdf_of_damaged_rows_are_complete(viewer_client: Client, studio: Studio) -> None:
    build = make_reported_build(studio)
    Recording.objects.update(measures=["damaged"], levels=["damaged"])
    BuildRecording.objects.update(finding_codes={"damaged": 1})
    Build.objects.update(scores=["damaged"], options=["damaged"])
    assert [row["our_stoi"] for row in read_csv(viewer_client, build)] == ["", "", ""]
    assert "The provider gave no scores." in read_pdf(viewer_client, build)


# --- PDF ---------------------------------------------------------------------------------


def test_pdf_has_facts_scores_recordings_and_evidence(engineer_client: Client, studio: Studio) -> None:
    build = make_reported_build(studio, issue="")
    marked = build.recordings.order_by("pk")[0]
    build.recordings.filter(pk=marked.pk).update(is_silent=True)
    text = read_pdf(engineer_client, build)
    for part in (
        "Build 1 of Warm narrator",
        "Resemble AI, rapid: ready",
        "Tilda Strand",
        "Timeline",
        "Quality scores of Resemble AI",
        "0.94",
        "Lower is better, good: 0.20 or less",
        "Recording scores of Resemble AI",
        "−3.50",
        marked.recording.file_name,
        "Silent",
        "Silence at end",
        "Evidence",
        build.contract.sha256,
        str(build.pk),
        "Page 1",
    ):
        assert part in text, part
    assert REPLACED_TEXT not in text
    assert "Changes since" not in text
    studio.make_build(build.voice, status="ready", scores={"resemble_score": 0.95})
    newer = Build.objects.latest("created_at")
    text = read_pdf(engineer_client, newer)
    assert "Changes since build 1" in text and "+0.01, better" in text


def test_pdf_has_text_of_other_scripts(viewer_client: Client, studio: Studio) -> None:
    build = make_reported_build(studio)
    words = "Zażółć gęślą jaźń. Съешь же ещё. Ξεσκεπάζω. Größe, ¿qué?"
    build.recordings.update(transcript=words)
    text = read_pdf(viewer_client, build)
    for word in words.split():
        assert word in text
    assert REPLACED_TEXT not in text


def make_font(path: Path, text: str) -> None:
    """A font in which each of these characters is the same square."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"uni{ord(one):04X}" for one in text)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(one): name for one, name in zip(text, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)


def test_pdf_says_that_a_character_is_missing_and_has_it_with_another_font(
    viewer_client: Client, studio: Studio, settings: Any, tmp_path: Path
) -> None:
    build = make_reported_build(studio)
    build.recordings.update(transcript="日本語")
    assert " ".join(REPLACED_TEXT.split()) in " ".join(read_pdf(viewer_client, build).split())
    make_font(tmp_path / "squares.ttf", "日本語")
    settings.VOICEHUB_REPORT_FONT = str(tmp_path / "squares.ttf")
    text = read_pdf(viewer_client, build)
    assert "日本語" in text
    assert REPLACED_TEXT not in text


@pytest.mark.parametrize("character", ["W", "\n"])
def test_pdf_has_texts_of_any_length(viewer_client: Client, studio: Studio, character: str) -> None:
    build = make_reported_build(studio, issue="W" * 9000, raw_status="W" * 60)
    first, *_rest = build.recordings.order_by("pk")
    assert SHORTENED_TEXT not in " ".join(read_pdf(viewer_client, build).split())
    scores = {"pesq": 3.5, "sample_score": 3.5, "signal_to_noise_ratio": 30.5}
    build.recordings.update(transcript=character * 4000, discard_reason=character * 4000, is_silent=True, **scores)
    build.recordings.update(finding_codes=["same_sound_other_words"] * 40)
    Recording.objects.filter(pk=first.recording_id).update(file_name=character * 200)
    Voice.objects.update(name=character * 100)
    Talent.objects.update(name=character * 120)
    Contract.objects.update(file_name=character * 200)
    Account.objects.update(name=character * 100)
    Build.objects.update(options={"description": character * 5000})
    assert SHORTENED_TEXT in " ".join(read_pdf(viewer_client, build).split())


def test_pdf_of_an_active_build_is_refused(viewer_client: Client, studio: Studio) -> None:
    build = studio.make_build(status="training")
    response = viewer_client.get(reverse("voices:build_report", args=[build.pk]), follow=True)
    assert response.redirect_chain == [(build.get_absolute_url(), 302)]
    assert "Its report is there when it ends." in read_html(response)


def test_exports_make_the_same_number_of_queries_for_more_recordings(viewer_client: Client, studio: Studio) -> None:
    counts = {}
    for size in (3, MAX_RECORDINGS + 20):
        voice = studio.make_voice(f"Voice {size}")
        studio.make_fileless_recordings(voice, size)
        build = make_reported_build(studio, voice=voice)
        for name, read in (("csv", read_csv), ("pdf", read_pdf)):
            with CaptureQueriesContext(connection) as queries:
                read(viewer_client, build)
            counts[name, size] = len(queries)
    assert counts["csv", 3] == counts["csv", 60] and counts["pdf", 3] == counts["pdf", 60]
    assert "The first 40 of 60." in read_pdf(viewer_client, build)
