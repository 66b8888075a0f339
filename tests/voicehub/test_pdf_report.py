"""Fonts of reports as PDF: decompressed once, also after a cleaner of temporary files has removed the copies."""

from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

from fontTools.ttLib import TTFont
from pytest import MonkeyPatch

from voicehub.pdf_report import PdfReport, decompress_font, list_fonts


def make_report() -> bytes:
    report = PdfReport("Title", "Footer", datetime(2026, 1, 2, tzinfo=UTC))
    report.add_text("Ağaç, Дерево, Δέντρο")
    assert not report.has_replaced
    return report.make_bytes()


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
