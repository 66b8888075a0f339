"""The tone of a status, and its mark: a shape and a word, so that color is never the only sign."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

# Fine, new for staff, waiting for a person, failed, in progress. Every other status has ended, never began, or
# waits for a time or for a person outside the studio: "over".
_TONES = {
    "good": {"approved", "ready", "accepted", "done", "split"},
    "new": {"submitted"},
    "wait": {"suspended", "unconfirmed", "dataset_issue"},
    "bad": {"declined", "withdrawn", "refused", "consent_rejected", "failed"},
    "busy": {"queued", "submitting", "training", "splitting", "generating"},
}
_TONE_OF = {status: tone for tone, statuses in _TONES.items() for status in statuses}
# Tones whose mark has another name.
_MARKS = {"over": "idle"}


def get_tone(status: str) -> str:
    return _TONE_OF.get(status, "over")


def name_mark(tone: str) -> str:
    """The name of the mark, in the styles `is-…`."""
    return _MARKS.get(tone, tone)


def render_mark(tone: str, label: SafeString | str) -> SafeString:
    """A status: a shape and a word. `tone` is the tone of a status."""
    return format_html('<span class="vh-status is-{}">{}</span>', name_mark(tone), label)
