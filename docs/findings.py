"""Writes docs/findings.md from the tables that the checks use: `python -m docs.findings > docs/findings.md`."""

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from audio import findings
from audio.analysis.measures import MEANINGS
from audio.findings.templates import Severity, Template
from audio.findings.thresholds import THRESHOLD_INFO
from docs.providers import render_table

HEAD = """# Findings

All findings of the audio checks, generated from their tables by `python -m docs.findings`. A test compares them.

A finding has a severity: **refused**, the file cannot be used; **put right**, a corrected copy was made and the
original kept; **look**, a person should decide. A threshold is a default, which an admin can change for a provider and
tier.
"""
TABLES = [one.name for one in iter_modules(findings.__path__) if one.name.startswith("catalog_")]
COLUMNS = ["code", "severity", "text", "advice", "threshold", "source"]
MEASURES = """
## Measures

The measures of the detailed analysis of a recording, named as in the JSON of `manage.py inspect_audio`. A share is 0
to 1; a level in dBFS is 0 at full scale. `missing` lists what could not be measured on this machine.
"""


def render_page() -> str:
    """Render the page as Markdown."""
    parts = [HEAD]
    for table_of in TABLES:
        area = table_of.removeprefix("catalog_").capitalize()
        module = import_module(f"{findings.__name__}.{table_of}")
        parts.append(f"\n## {area}\n\n{(module.__doc__ or '').strip()}\n")
        parts.append(render_table(COLUMNS, list_rows(module.CODES)))
    parts += [MEASURES, render_table(["measure", "unit", "meaning"], list_measures())]
    return "".join(parts)


def list_rows(templates: dict[str, Template]) -> Iterator[tuple[str, ...]]:
    for code, template in templates.items():
        threshold, source = "", ""
        if template.threshold:
            info = THRESHOLD_INFO[template.threshold]
            threshold, source = f"`{template.threshold}` {info.default:g} {info.unit}", info.source
        words = (escape_template(template.text), escape_template(template.advice))
        yield f"`{code}`", format_severity(template.severity), *words, threshold, source


def format_severity(one: Severity) -> str:
    return one.value.replace("_", " ")


def list_measures() -> Iterator[tuple[str, ...]]:
    for name, (unit, meaning) in MEANINGS.items():
        yield f"`{name}`", unit, meaning


def escape_template(words: str) -> str:
    """Show {names} of values in italics and escape Markdown characters."""
    return re.sub(r"\{(\w+)[^}]*\}", r"*\1*", words.replace("|", "\\|").replace("<", "&lt;"))


if __name__ == "__main__":
    sys.stdout.write(render_page())
