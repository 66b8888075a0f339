"""The rules of a large stylesheet that pages can use. Of the component library, pages use a small part.

A rule stays unless each of its selectors needs a class whose name stands in none of our templates, scripts and
modules. Names are searched as words, so a rule too many may stay, but none that a page needs is left out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tinycss2

WORD = re.compile(r"[A-Za-z_][\w-]*")
# Rules with other rules in them.
NESTING = ("media", "supports", "layer", "container")
SOURCES = (
    ("templates", "*.html"),
    ("static/js", "*.js"),
    ("voicehub", "*.py"),
    ("consent", "*.py"),
    ("voices", "*.py"),
)


def collect_words(base: Path) -> set[str]:
    """Every word of the sources of our pages. One that ends with a hyphen is the start of a class name."""
    files = (path for folder, pattern in SOURCES for path in sorted((base / folder).rglob(pattern)))
    return {word for path in files for word in WORD.findall(path.read_text(encoding="utf-8"))}


def keep_used_rules(css: str, words: Iterable[str]) -> str:
    """The stylesheet without the rules that only elements with other classes could use. Its license stays."""
    names = frozenset(words)
    starts = tuple(name for name in names if name.endswith("-") and len(name) > 1)
    rules = tinycss2.parse_stylesheet(css, skip_whitespace=True)
    return str(tinycss2.serialize(_iterate_used(rules, names, starts)))


def _iterate_used(rules: Iterable[Any], names: frozenset[str], starts: tuple[str, ...]) -> Iterator[Any]:
    for rule in rules:
        if rule.type == "qualified-rule":
            rule.prelude = _join([one for one in _split(rule.prelude) if _is_used(one, names, starts)])
            if rule.prelude:
                yield rule
        elif rule.type == "at-rule" and rule.lower_at_keyword in NESTING and rule.content:
            nested = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            rule.content = list(_iterate_used(nested, names, starts))
            if rule.content:
                yield rule
        elif rule.type != "comment" or rule.value.startswith("!"):
            yield rule


def _split(selectors: Sequence[Any]) -> list[list[Any]]:
    """The selectors of a list. A comma in parentheses separates none: it is inside of one node."""
    parts: list[list[Any]] = [[]]
    for node in selectors:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _join(selectors: Sequence[Sequence[Any]]) -> list[Any]:
    comma = tinycss2.ast.LiteralToken(0, 0, ",")
    return [node for number, one in enumerate(selectors) for node in ([comma] if number else []) + list(one)]


def _is_used(selector: Sequence[Any], names: frozenset[str], starts: tuple[str, ...]) -> bool:
    """Whether an element with known classes can match. What stands in parentheses, as in :not(.one), excludes none."""
    pairs = zip(selector, selector[1:], strict=False)
    classes = [node.value for dot, node in pairs if dot == "." and node.type == "ident"]
    return all(name in names or name.startswith(starts) for name in classes)
