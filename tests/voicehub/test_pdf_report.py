"""Fonts of reports as PDF: decompressed once, also after a cleaner of temporary files has removed the copies.

Only those that a report uses are in it, without the tables that no report uses.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from shutil import rmtree

from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pytest import MonkeyPatch

from voicehub.pdf_report import PdfReport, decompress_font, list_fonts


def make_report(text: str = "Ağaç, Дерево, Δέντρο") -> bytes:
    report = PdfReport("Title", "Footer", datetime(2026, 1, 2, tzinfo=UTC))
    report.add_text(text)
    assert not report.has_replaced
    return report.make_bytes()


def read_embedded_fonts(report: bytes) -> list[TTFont]:
    reader = PdfReader(BytesIO(report))
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    return [TTFont(BytesIO(one["/FontFile2"].get_data())) for one in objects if "/FontFile2" in str(one)]


def test_copies_are_whole_fonts_without_compression() -> None:
    for _family, path in list_fonts():
        with TTFont(path) as font, TTFont(decompress_font(path)) as copy:
            assert (font.flavor, copy.flavor) == ("woff2", None)
            assert copy.getBestCmap() == font.getBestCmap()


def test_fonts_are_decompressed_once(monkeypatch: MonkeyPatch) -> None:
    first = make_report()
    monkeypatch.setattr("voicehub.pdf_report.TTFont", None)
    assert make_report() == first


def test_removed_copies_are_made_again() -> None:
    first = make_report()
    rmtree(decompress_font(list_fonts()[0][1]).parent)
    assert make_report() == first


def test_font_of_the_settings_that_is_not_woff2_is_used_as_it_is(tmp_path: Path) -> None:
    assert decompress_font(tmp_path / "own.otf") == tmp_path / "own.otf"


def test_only_fonts_whose_letters_are_used_are_in_the_report() -> None:
    assert len(read_embedded_fonts(make_report("Tree"))) == 1
    assert len(read_embedded_fonts(make_report("Ağaç"))) == 2
    assert len(read_embedded_fonts(make_report())) == len(list_fonts()) == 4


def test_embedded_fonts_have_only_the_tables_that_show_letters() -> None:
    for font in read_embedded_fonts(make_report()):
        assert {"glyf", "loca", "hmtx"} <= set(font.keys())
        assert not set(font.keys()) & {"GPOS", "GSUB", "HVAR", "fvar", "gvar"}


def test_processes_start_without_the_library_of_reports() -> None:
    loaded = "{'fpdf', 'fontTools'} & set(sys.modules)"
    code = f"import sys, django; django.setup(); import voicehub.urls, voices.tasks, consent.tasks; print({loaded})"
    variables = os.environ | {"DJANGO_SETTINGS_MODULE": "voicehub.settings"}
    result = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
