"""Prints figures on the language of the code: the names of functions, archaic words, and long template lines.

    python -m tests.benchmarks.wording [FOLDER]

It only counts; whether a name is clear, only a reader can say. With the FOLDER of another checkout, it prints the
figures of that checkout.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("launcher", "audio", "providers", "sandbox", "voicehub", "consent", "voices")
PARTICIPLE = re.compile(
    r"begun|bound|bought|broken|brought|built|caught|chosen|come|dealt|done|drawn|fed|felt|forbidden|found|frozen|given"
    r"|gone|got|heard|held|hidden|kept|known|laid|left|lent|lost|made|meant|met|paid|said|seen|sent|shown|sold|sought"
    r"|spoken|stolen|stood|taken|taught|thought|thrown|told|torn|understood|worn|wound|written|\w*[a-z]ed"
)
NOT_PARTICIPLES = {"embed", "feed", "need", "proceed", "seed", "speed", "hundred"}
QUESTIONS = ("is_", "are_", "has_", "was_", "can_", "may_", "should_")
ARCHAIC_WORDS = re.compile(
    r"\b(nobody|somebody|whoever|anew|lest|mend(s|ed|ing)?|thereof|of which|told|heard|over there)\b", re.IGNORECASE
)
TEXT_FILES = {".py", ".html", ".js", ".css", ".md", ".txt", ".toml", ".svg"}
LINE_LIMIT = 160


def list_files(root: Path) -> list[Path]:
    """List the project's files that people write, without lock files and migrations, which are generated."""
    output = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout  # noqa: S607
    paths = [
        root / name for name in output.split() if not name.startswith("requirements/") and "/migrations/" not in name
    ]
    return [path for path in paths if path.suffix in TEXT_FILES and path.exists()]


def find_functions(paths: list[Path]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions and methods except Python's special methods."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                yield node


def ends_in_participle(name: str) -> bool:
    """Return whether a name ends in a participle, such as `_joined`. Questions such as `is_known` do not count."""
    last_word = name.strip("_").split("_")[-1]
    if name.lstrip("_").startswith(QUESTIONS) or last_word in NOT_PARTICIPLES:
        return False
    return PARTICIPLE.fullmatch(last_word) is not None


def is_one_word(name: str) -> bool:
    return "_" not in name.strip("_")


def print_functions(title: str, paths: list[Path]) -> None:
    functions = [node for node in find_functions(paths) if not node.name.startswith("test_")]
    counts = {
        "names that end in a participle": sum(ends_in_participle(node.name) for node in functions),
        "names of one word": sum(is_one_word(node.name) for node in functions),
        "functions with a docstring": sum(ast.get_docstring(node) is not None for node in functions),
    }
    print(f"{title}: {len(functions)} functions")
    for label, count in counts.items():
        print(f"  {label:<32} {count:5}  {100 * count / max(1, len(functions)):5.1f} %")


def main(root: Path) -> None:
    paths = list_files(root)
    python = [path for path in paths if path.suffix == ".py"]
    print_functions("Packages", [path for path in python if path.relative_to(root).parts[0] in PACKAGES])
    print_functions("Tests (helpers)", [path for path in python if path.relative_to(root).parts[0] == "tests"])
    texts = {path: path.read_text(encoding="utf-8") for path in paths if path != Path(__file__)}  # this file lists them
    archaic_counts = {path: len(ARCHAIC_WORDS.findall(text)) for path, text in texts.items()}
    print(f"Archaic words: {sum(archaic_counts.values())}")
    for path, count in sorted(archaic_counts.items(), key=lambda item: -item[1])[:10]:
        if count:
            print(f"  {count:5}  {path.relative_to(root)}")
    lines = [line for path, text in texts.items() if path.suffix == ".html" for line in text.splitlines()]
    print(
        f"Template lines over {LINE_LIMIT} characters: {sum(len(line) > LINE_LIMIT for line in lines)} of {len(lines)}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
