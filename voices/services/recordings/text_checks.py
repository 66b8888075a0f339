"""Checks of a recording's transcript. They use what the analysis of the audio stored, and read no file."""

from collections.abc import Mapping, Sequence
from typing import Any

from audio.analysis.transcript_lint import compute_speaking_rate, lint_transcript
from audio.findings import catalog_transcript
from audio.findings.thresholds import Thresholds
from voices.models import Recording


def check_transcript(
    recording: Recording,
    language: str,
    findings: Sequence[Mapping[str, Any]],
    measures: Mapping[str, Any],
    thresholds: Thresholds,
) -> dict[str, Any]:
    """The fields to store after a check of `recording.transcript`: these findings and measures, those of its text new.

    Without an analysis of the audio there are no measures, and the speaking rate is not computed.
    """
    text, seconds = recording.transcript, measures.get("seconds") or recording.seconds
    found = lint_transcript(text, seconds, language, thresholds) if text else ()
    others = [finding for finding in findings if finding["code"] not in catalog_transcript.CODES]
    return {
        "findings": [*others, *(finding.as_dict() for finding in found)],
        "measures": {**measures, **_measure_rate(text, measures)},
    }


def _measure_rate(text: str, measures: Mapping[str, Any]) -> dict[str, float | None]:
    """How fast the text is read, from the first speech to the last."""
    edges = [measures.get(name) for name in ("seconds", "leading_silence_seconds", "trailing_silence_seconds")]
    if None in edges:
        return {}
    seconds, leading, trailing = (float(edge) for edge in edges if edge is not None)
    rate = compute_speaking_rate(text, seconds - leading - trailing)
    return {
        "words_per_minute": round(rate.words_per_minute, 4) if rate else None,
        "syllables_per_second": round(rate.syllables_per_second, 4) if rate else None,
    }
