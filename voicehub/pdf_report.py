"""Reports as PDF, in the font of the pages. Text may be in any script of the fonts, or of the one of the settings.

Import this module in functions: fpdf2 would add a tenth to the time in which each process starts.
"""

import re
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from django.conf import settings
from django.utils.translation import gettext
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextMode, WrapMode
from fpdf.fonts import FontFace, TTFFont
from fpdf.output import OutputProducer

FONT_FOLDER = Path(settings.BASE_DIR) / "static" / "vendor" / "inter"
SCRIPTS = ("latin", "latin-ext", "cyrillic", "greek")
FAMILY, REPLACEMENT = "inter-latin", "?"
# A large file, loaded only for reports in Japanese.
JAPANESE_LETTERS = re.compile("[\u3000-\u9fff\uff00-\uffef]")
JAPANESE = ("japanese", FONT_FOLDER.parent / "biz-udpgothic" / "biz-udpgothic-japanese-400-normal.woff2")
MARGIN, LINE, CELL_SPACE = 18.0, 5.0, 2.0  # millimeters
INK, QUIET, RULE = (20, 23, 31), (89, 96, 110), (214, 218, 226)
SMALL, NORMAL, LARGE, TITLE = 8.5, 10, 13, 20  # points
# A bold instance of the variable font takes a second to make, so headings have a thin outline instead.
STROKE = 0.12
UNUSED_GLYPHS = 2  # fpdf2 gives each font a missing glyph and a space
# What only other weights and shaped text need. fpdf2 uses neither, and takes longer for these tables than for the rest.
UNUSED_TABLES = ("GDEF", "GPOS", "GSUB", "HVAR", "MVAR", "STAT", "avar", "fvar", "gvar")
# A row of a table must fit on a page. About 600 characters in a wide column.
MAX_LINES = 18
ROOM_BELOW_HEADING = 45.0  # a heading is not alone at the end of a page


class _Pages(FPDF):
    """Pages with a line at the foot of each."""

    footer_text = ""

    def header(self) -> None:
        """Set the font on the page itself. fpdf2 would write it with the first text, for that cell of a table only."""
        if self.font_family:
            self.cell(LINE, 0, " ", new_x="LMARGIN", new_y="TOP")

    def footer(self) -> None:
        self.set_y(-MARGIN + 4)
        self.set_font(FAMILY, size=SMALL)
        self.set_text_color(*QUIET)
        self.cell(0, LINE, self.footer_text)
        self.set_x(MARGIN)
        self.cell(0, LINE, gettext("Page {number}").format(number=self.page_no()), align="R")


def _list_files(pages: FPDF) -> list[TTFFont]:
    return [font for font in pages.fonts.values() if isinstance(font, TTFFont)]


class _UsedFonts(OutputProducer):
    """Leaves out fonts that no page uses: most reports need one of them, and each takes longer than their pages."""

    def bufferize(self) -> bytearray:
        for font in _list_files(self.fpdf):
            if font.fontkey != FAMILY and len(font.subset) <= UNUSED_GLYPHS:
                del self.fpdf.fonts[font.fontkey]
        return super().bufferize()


class PdfReport:
    """A report with a title, headings, facts and tables.

    `has_replaced` says whether a character was replaced, because no font has it, and `has_shortened` whether a cell of
    a table was cut, because it had more than `MAX_LINES` lines. `sample` is text of the report: Japanese letters in it
    need another font.
    """

    def __init__(self, title: str, footer: str, made_at: datetime, *, language: str = "en", sample: str = "") -> None:
        self.has_replaced = self.has_shortened = False
        fonts = [*list_fonts(), *([JAPANESE] if JAPANESE_LETTERS.search(sample) else [])]
        self._characters = load_characters(fonts)
        pages = self._pages = _Pages(format="A4")
        pages.set_margin(MARGIN)
        pages.set_auto_page_break(auto=True, margin=MARGIN)
        for family, path in fonts:
            pages.add_font(family, fname=decompress_font(path))
        pages.set_fallback_fonts([family for family, _path in fonts[1:]], exact_match=False)
        pages.set_title(title)
        pages.set_lang(language)
        pages.set_creation_date(made_at)
        pages.footer_text = self._clean(footer)
        pages.add_page()
        self._write(title, TITLE, is_strong=True)

    def add_heading(self, text: str) -> None:
        if self._pages.get_y() > self._pages.h - ROOM_BELOW_HEADING:
            self._pages.add_page()
        self._pages.ln(LINE)
        self._write(text, LARGE, is_strong=True)
        self._pages.ln(1)

    def add_subheading(self, text: str) -> None:
        self._pages.ln(1)
        self._write(text, NORMAL, is_strong=True)

    def add_text(self, text: str, *, is_quiet: bool = False) -> None:
        self._write(text, SMALL if is_quiet else NORMAL, color=QUIET if is_quiet else INK)

    def add_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        self.add_table((), facts, widths=(3, 9))

    def add_table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[int]) -> None:
        """A table whose columns have these relative widths. Its headings stand on each page."""
        room = self._pages.epw / sum(widths)
        self._use_font(SMALL)
        self._pages.set_draw_color(*RULE)
        with self._pages.table(
            col_widths=tuple(widths),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES if headings else TableBordersLayout.NONE,
            line_height=LINE - 0.5,
            padding=(0.8, CELL_SPACE, 0.8, 0),
            text_align="LEFT",
            headings_style=FontFace(color=QUIET),
            num_heading_rows=1 if headings else 0,
            first_row_as_headings=bool(headings),
            wrapmode=choose_wrap("".join(cell for cells in rows for cell in cells)),
        ) as table:
            for cells in [headings, *rows] if headings else rows:
                row = table.row()
                for cell, width in zip(cells, widths, strict=True):
                    row.cell(self._shorten(self._clean(cell), width * room - CELL_SPACE))

    def make_bytes(self) -> bytes:
        fonts = _list_files(self._pages)
        content = bytes(self._pages.output(output_producer_class=_UsedFonts))
        for font in fonts:
            font.close()  # fpdf2 reads parts of the file when it needs them
        return content

    def _write(self, text: str, size: float, *, is_strong: bool = False, color: tuple[int, int, int] = INK) -> None:
        self._use_font(size, color)
        if not is_strong:
            self._write_lines(text, size)
            return
        with self._pages.local_context():
            self._pages.set_draw_color(*INK)
            self._pages.set_line_width(STROKE)
            self._pages.text_mode = TextMode.FILL_STROKE
            self._write_lines(text, size)

    def _use_font(self, size: float, color: tuple[int, int, int] = INK) -> None:
        """Set the font on the page itself.

        fpdf2 writes it with the first text, and only for that line if it begins in another font (version 2.8.9). The
        lines after it then have the size of before.
        """
        self._pages.set_font(FAMILY, size=size)
        self._pages.current_font_is_set_on_page = False  # a page that began within a heading lost it at its end
        self._pages.set_text_color(*color)
        self._pages.cell(LINE, 0, " ", new_x="LMARGIN", new_y="TOP")

    def _write_lines(self, text: str, size: float) -> None:
        cleaned, wrap = self._clean(text), choose_wrap(text)
        self._pages.multi_cell(0, size * 0.5, cleaned, align="L", new_x="LMARGIN", new_y="NEXT", wrapmode=wrap)

    def _shorten(self, text: str, width: float) -> str:
        """The text, or its first lines in a column of this width with an ellipsis."""
        if len(text) <= MAX_LINES:
            return text
        margin = self._pages.c_margin
        self._pages.c_margin = 0
        measured = self._pages.multi_cell(width, LINE, text, dry_run=True, output="LINES", wrapmode=choose_wrap(text))
        lines = cast(list[str], measured)
        self._pages.c_margin = margin
        if len(lines) <= MAX_LINES:
            return text
        self.has_shortened = True
        return "\n".join([*lines[: MAX_LINES - 1], f"{lines[MAX_LINES - 1][:-1]}…"])

    def _clean(self, text: str) -> str:
        cleaned = "".join(one if one == "\n" or ord(one) in self._characters else REPLACEMENT for one in text)
        self.has_replaced = self.has_replaced or cleaned != text
        return cleaned


def choose_wrap(text: str) -> WrapMode:
    """Japanese has no spaces between its words, so a line may end after any letter."""
    return WrapMode.CHAR if JAPANESE_LETTERS.search(text) else WrapMode.WORD


def list_fonts() -> list[tuple[str, Path]]:
    """The family and the file of each font, the one for Latin first."""
    own = Path(settings.VOICEHUB_REPORT_FONT) if settings.VOICEHUB_REPORT_FONT else None
    fonts = [(f"inter-{script}", FONT_FOLDER / f"inter-{script}-wght-normal.woff2") for script in SCRIPTS]
    return [*fonts, ("own", own)] if own else fonts


def load_characters(fonts: Sequence[tuple[str, Path]]) -> frozenset[int]:
    """The code points that the fonts can show."""
    return frozenset().union(*(_read_characters(path) for _family, path in fonts))


@cache
def _read_characters(path: Path) -> frozenset[int]:
    with TTFont(path, fontNumber=0) as font:
        return frozenset(font.getBestCmap())


_decompressing = threading.Lock()


def decompress_font(path: Path) -> Path:
    """A copy of a WOFF2 font without compression and unused tables, or the path itself of any other font.

    fpdf2 decompresses WOFF2 again for each report, which takes longer than all the rest. The copies live as long as the
    process. One that a cleaner of old temporary files has removed is made again.
    """
    if path.suffix != ".woff2":
        return path
    copy = Path(_make_font_folder().name) / f"{path.stem}.ttf"
    with _decompressing:
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            unfinished = copy.with_suffix(".part")
            with TTFont(path, recalcTimestamp=False) as font:
                font.flavor = None
                for table in UNUSED_TABLES:
                    if table in font:
                        del font[table]
                font.save(unfinished)
            unfinished.replace(copy)
    return copy


@cache
def _make_font_folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="voicehub-fonts-")
