"""The catalog of findings: each code has one meaning, and the docs page lists all codes."""

from pathlib import Path

import pytest

from audio.findings import catalog_sound
from audio.findings.catalog import CODES
from audio.findings.templates import make_warning
from audio.findings.thresholds import THRESHOLD_INFO
from docs import findings

DOCS_PAGE = Path(__file__).parents[3] / "docs" / "findings.md"


def test_docs_page_matches_the_catalog() -> None:
    assert DOCS_PAGE.read_text(encoding="utf-8") == findings.render_page(), (
        "Run: python -m docs.findings > docs/findings.md"
    )


def test_docs_page_lists_every_code_once() -> None:
    codes = [
        line.split("`")[1] for line in findings.render_page().split("\n## Measures\n")[0].splitlines() if "| `" in line
    ]
    assert sorted(codes) == sorted(CODES)


def test_docs_page_includes_a_new_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalog_sound.CODES, "odd", make_warning("It is {much:.1f} | <odd>.", "Listen.", "noisy_db"))
    assert "| `odd` | look | It is *much* \\| &lt;odd>. | Listen. | `noisy_db` 15 dB | " in findings.render_page()


def test_every_code_that_depends_on_a_measure_names_its_threshold() -> None:
    assert all(template.threshold in THRESHOLD_INFO for template in catalog_sound.CODES.values())
    assert {template.threshold for template in CODES.values()} - {""} <= THRESHOLD_INFO.keys()


def test_every_threshold_has_unit_and_source() -> None:
    for name, info in THRESHOLD_INFO.items():
        assert info.unit and info.source.endswith("."), name
