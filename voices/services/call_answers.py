"""What a provider answered, in a few words. A stored answer may be cut, so it is not always JSON."""

import json
import re

TEXT = r'"((?:[^"\\]|\\.)*)"'
# What says most stands first.
SENTENCE = re.compile(rf'"(?:error|message|detail|issue)": ?{TEXT}')
TOTAL = re.compile(r'"total_results": ?(\d+)')
NAME, STATUS = (re.compile(rf'"{key}": ?{TEXT}') for key in ("name", "status"))
IS_ACCEPTED = re.compile(r'"success": ?true')
IS_JSON = re.compile(r"\s*[{\[]")


def summarize_answer(text: str) -> str:
    """“The voice is being built.”, “vh-6cf2, initializing”, “3 entries”. Empty if it says nothing that fits a line."""
    if sentence := _find(SENTENCE, text):
        return sentence
    if total := TOTAL.search(text):
        return _count(int(total[1]))
    named = [found for pattern in (NAME, STATUS) if (found := _find(pattern, text))]
    if named:
        return ", ".join(named).replace("_", " ")
    if IS_ACCEPTED.search(text):
        return "Accepted"
    return _count_entries(text) if IS_JSON.match(text) else text


def _find(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    try:
        return str(json.loads(f'"{found[1]}"')) if found else ""
    except ValueError:
        return ""


def _count_entries(text: str) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _count(len(answer)) if isinstance(answer, list) else ""


def _count(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries:,} entries"
