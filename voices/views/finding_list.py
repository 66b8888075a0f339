"""The one list of findings of a voice: those of our checks and those of every provider, with what to do."""

from dataclasses import dataclass
from urllib.parse import urlencode

from audio.findings.catalog import CODES
from providers import registry
from voicehub.sound_report import format_code
from voices.models import Voice
from voices.services.recordings.found_problems import CHECK, NO_TRANSCRIPT, UNUSABLE, FoundProblem, list_problems

# Findings that no catalog has: title and advice.
OWN_TEXTS = {
    UNUSABLE: ("Not usable", "No build uses these files. Each says why. Repair the file and upload it again."),
    NO_TRANSCRIPT: ("No transcript", "Type every word that is spoken."),
}
# What a finding means for builds, by its severity. Who found it stands beside it.
STATES = {"bad": "Likely to fail", "wait": "To review"}
# For each flag of a provider: severity, title, advice.
PROVIDER_TEXTS = {
    "silent": ("bad", "Silent", "Record it again, or exclude it."),
    "outlier": ("wait", "Other speaker or sound", "Listen to it. Exclude it if it is not the talent alone."),
    "discarded": ("wait", "Not used", "The page of the build says why. Replace the recording, or exclude it."),
}
WORST_FIRST = ("bad", "wait")
SHOWN_TO_REVIEW = 5
# Findings that a filter of the table shows already.
FILTERS = {UNUSABLE: "refused", NO_TRANSCRIPT: "no_transcript"}


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One line of the list. `url` is the table of recordings with only those that have the finding."""

    source: str
    severity: str
    state: str
    title: str
    advice: str
    count: int
    url: str


def list_findings(voice: Voice) -> list[FindingLine]:
    """The worst first."""
    lines = [_make_line(voice, problem) for problem in list_problems(voice)]
    return sorted(lines, key=lambda line: WORST_FIRST.index(line.severity))


def split_findings(lines: list[FindingLine]) -> dict[str, list[FindingLine]]:
    """All that are likely to fail, and the first to review. The page folds the rest, if that saves some lines."""
    count = sum(line.severity == WORST_FIRST[0] for line in lines) + SHOWN_TO_REVIEW
    shown = count if len(lines) > count + 2 else len(lines)
    return {"findings": lines[:shown], "more_findings": lines[shown:]}


def _make_line(voice: Voice, problem: FoundProblem) -> FindingLine:
    severity, state, title, advice = _describe(problem)
    show = FILTERS.get(problem.code, problem.key)
    url = f"{voice.get_absolute_url()}?{urlencode({'show': show})}#recordings"
    source = "Our check" if problem.source == CHECK else registry.get_provider_label(problem.source)
    return FindingLine(source, severity, state, title, advice, problem.count, url)


def _describe(problem: FoundProblem) -> tuple[str, str, str, str]:
    """The severity, what it means for builds, the title and the advice."""
    if problem.source != CHECK:
        severity, title, advice = PROVIDER_TEXTS[problem.code]
        return severity, STATES[severity], title, advice
    severity = "bad" if problem.is_unfit else "wait"
    state = STATES[severity]
    if problem.code in OWN_TEXTS:
        state = "Not in builds" if problem.code == UNUSABLE else state
        return severity, state, *OWN_TEXTS[problem.code]
    return severity, state, format_code(problem.code), _find_advice(problem.code)


def _find_advice(code: str) -> str:
    """The advice of the catalog. Empty if it names a value of one recording, or if the code is no longer in use."""
    advice = CODES[code].advice if code in CODES else ""
    return "" if "{" in advice else advice


def name_finding(key: str) -> str:
    """The finding with this key in the address of the table: "Clipping", "Silent, Resemble AI"."""
    source, _, code = key.rpartition("-")
    if source == CHECK:
        return format_code(code)
    return f"{PROVIDER_TEXTS[code][1]}, {registry.get_provider_label(source)}"
