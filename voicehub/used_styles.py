"""The rules of a large stylesheet that pages can use. Of the component library, pages use a small part.

A rule stays unless each of its selectors needs a class whose name stands in none of our templates, scripts and
modules. Names are searched as words, so a rule too many may stay, but none that a page needs is left out.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

# What ends a part of a stylesheet, and what may contain such a character.
PART = re.compile(r"""/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[{};,()]""", re.DOTALL)
CLASS = re.compile(r"\.((?:[\w-]|\\.)+)")
WORD = re.compile(r"[A-Za-z_][\w-]*")
NESTING = ("@media", "@supports", "@layer", "@container")
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
    return "".join(_iterate_used(css, names, starts))


def _iterate_used(css: str, names: frozenset[str], starts: tuple[str, ...]) -> Iterator[str]:
    for head, block in _split_rules(css):
        if block is None:  # the license, or such as @charset
            yield head
        elif head.startswith(NESTING):
            if kept := "".join(_iterate_used(block, names, starts)):
                yield f"{head}{{{kept}}}"
        elif head.startswith("@"):
            yield f"{head}{{{block}}}"
        elif used := [one for one in _split_list(head) if _is_used(one, names, starts)]:
            yield f"{','.join(used)}{{{block}}}"


def _split_rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Each statement at this level: what stands before its block, and the block. Only comments with "!" stay."""
    start = depth = block_start = 0
    for found in PART.finditer(css):
        mark = found[0]
        if mark == "{":
            depth += 1
            block_start = block_start if depth > 1 else found.end()
        elif mark == "}":
            depth -= 1
            if not depth:
                yield css[start : block_start - 1].strip(), css[block_start : found.start()]
                start = found.end()
        elif not depth and (mark == ";" or mark.startswith("/*!")):
            yield css[start : found.end()].strip(), None
            start = found.end()


def _split_list(selectors: str) -> Iterator[str]:
    """The selectors of a list. A comma in parentheses separates none."""
    start = depth = 0
    for found in PART.finditer(selectors):
        depth += (found[0] == "(") - (found[0] == ")")
        if found[0] == "," and not depth:
            yield selectors[start : found.start()]
            start = found.end()
    yield selectors[start:]


def _is_used(selector: str, names: frozenset[str], starts: tuple[str, ...]) -> bool:
    """Whether an element with known classes can match. What stands in parentheses, as in :not(.one), excludes none."""
    outer = selector
    while (shorter := re.sub(r"\([^()]*\)", "", outer)) != outer:
        outer = shorter
    classes = (name.replace("\\", "") for name in CLASS.findall(outer))
    return all(name in names or name.startswith(starts) for name in classes)
