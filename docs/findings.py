"""Writes docs/findings.md from the tables that the audio checks use: `python -m docs.findings > docs/findings.md`."""

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

`python -m docs.findings` generates this page from the tables that the audio checks use. A test checks that the page is
current.

A finding has one of three severities. **refused**: the file cannot be used. **put right**: a corrected copy was made,
and the original is kept. **look**: a person should decide. The thresholds are defaults, which an admin can change for a
provider and tier.

A recording with a finding that has a reason under *excluded from builds* is not sent, unless a person includes
it again. No later check overrides this choice until another file is uploaded.
"""
TABLES = [module.name for module in iter_modules(findings.__path__) if module.name.startswith("catalog_")]
COLUMNS = ["code", "severity", "text", "advice", "threshold", "source", "excluded from builds"]
MEASURES = """
## Measures

What the detailed analysis of a recording measures. The names are those in the JSON of `manage.py inspect_audio`. A
share is between 0 and 1. A level of 0 dBFS is full scale. `missing` lists what could not be measured on this machine.
"""


def render_page() -> str:
    parts = [HEAD]
    for name in TABLES:
        area = name.removeprefix("catalog_").capitalize()
        module = import_module(f"{findings.__name__}.{name}")
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
        texts = (escape_template(template.text), escape_template(template.advice))
        exclusion = escape_template(template.exclusion)
        yield f"`{code}`", format_severity(template.severity), *texts, threshold, source, exclusion


def format_severity(severity: Severity) -> str:
    return severity.value.replace("_", " ")


def list_measures() -> Iterator[tuple[str, ...]]:
    for name, (unit, meaning) in MEANINGS.items():
        yield f"`{name}`", unit, meaning


def escape_template(text: str) -> str:
    """Show each {placeholder} in italics, and escape the characters that Markdown and HTML use."""
    return re.sub(r"\{(\w+)[^}]*\}", r"*\1*", text.replace("|", "\\|").replace("<", "&lt;"))


if __name__ == "__main__":
    sys.stdout.write(render_page())
