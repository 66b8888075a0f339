"""The results of the search as pages show them: a title, a second line and a link, with the found words marked."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.paginator import Page
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.models import Consent, Talent
from providers import registry
from voicehub.folding import fold
from voicehub.status_marks import get_tone, render_mark
from voicehub.templatetags.cells import render_moment
from voicehub.templatetags.signs import render_face, render_voice_tile
from voicehub.text import format_count, format_duration, get_language_name
from voices.models import Build, Recording, RemoteVoice, Voice
from voices.presenters import build_name
from voices.recording_rows import get_quality_grade
from voices.services.search import MIN_CHARACTERS, FoundRows, SearchWord

LABELS = {
    "people": "People",
    "voices": "Voices",
    "recordings": "Recordings",
    "builds": "Builds",
    "consents": "Consents",
    "remote_voices": "Voices at providers",
}
HINT = f"Type at least {MIN_CHARACTERS} characters."
# How much of a long text is shown before and after the first word that was found.
CHARACTERS_BEFORE, CHARACTERS_AFTER = 40, 120


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`sign` is the face of a person or the tile of a voice. `text` is a part of a transcript, instead of a title."""

    url: str
    title: SafeString
    detail: SafeString
    text: SafeString | str = ""
    sign: SafeString | str = ""
    state: SafeString | str = ""
    day: SafeString | str = ""


@dataclass(frozen=True, slots=True)
class ResultGroup:
    key: str
    label: str
    count: int
    page: Page[Any]
    rows: Sequence[SearchResult]

    @property
    def has_more(self) -> bool:
        return self.count > len(self.rows)


def make_groups(found: Sequence[FoundRows], words: Sequence[SearchWord]) -> list[ResultGroup]:
    folded = [word.folded for word in words]
    return [
        ResultGroup(
            rows.kind.key,
            LABELS[rows.kind.key],
            rows.count,
            rows.page,
            [MAKERS[rows.kind.key](row, folded) for row in rows.page],
        )
        for rows in found
    ]


def describe_results(groups: Sequence[ResultGroup], words: Sequence[SearchWord], query: str) -> str:
    """The number of results in words, or why there is none."""
    if not words:
        return HINT
    if not groups:
        return f"No match for “{query}”"
    return format_count(sum(group.count for group in groups), "result", "results")


def _make_talent_result(talent: Talent, words: Sequence[str]) -> SearchResult:
    title, detail = mark_words(talent.shown_name, words), mark_words(talent.shown_email, words)
    return SearchResult(talent.get_absolute_url(), title, detail, sign=render_face(talent.shown_name))


def _make_voice_result(voice: Voice, words: Sequence[str]) -> SearchResult:
    detail = f"Voice of {voice.talent.shown_name} · {get_language_name(voice.language)} · {voice.get_purpose_display()}"
    title, sign = mark_words(voice.name, words), render_voice_tile(voice.pk)
    return SearchResult(voice.get_absolute_url(), title, mark_words(detail, words), sign=sign)


def _make_recording_result(recording: Recording, words: Sequence[str]) -> SearchResult:
    # The table begins with the opened recording if it stands on another page.
    url = f"{recording.voice.get_absolute_url()}?open={recording.pk}#row-{recording.pk}"
    name, where = mark_words(recording.file_name, words), recording.voice.name
    state, length = _show_quality(recording), format_duration(recording.seconds) if recording.seconds else ""
    text, sign = mark_words(cut_text(recording.transcript, words), words), render_voice_tile(recording.voice.pk)
    if not text:
        return SearchResult(url, name, mark_words(where, ()), sign=sign, state=state, day=length)
    return SearchResult(url, SafeString(""), format_html("{} · {}", name, where), text, sign, state, length)


def _show_quality(recording: Recording) -> SafeString | str:
    if recording.quality is None:
        return ""
    grade = get_quality_grade(recording.quality)
    return format_html('<span class="vh-quality{}">{}</span>', grade, f"{recording.quality:.1f}")


def _make_build_result(build: Build, words: Sequence[str]) -> SearchResult:
    detail = f"{build_name(build)} · {build.voice.talent.shown_name} · {build.remote_voice.account.name}"
    name = f"Build {build.number} of {build.voice.name}"  # type: ignore[attr-defined]  # annotated by the search
    title, sign = mark_words(name, words), render_voice_tile(build.voice.pk)
    state, started = render_mark(get_tone(build.status), build.get_status_display()), render_moment(build.created_at)
    return SearchResult(build.get_absolute_url(), title, mark_words(detail, words), sign=sign, state=state, day=started)


def _make_consent_result(consent: Consent, words: Sequence[str]) -> SearchResult:
    provider = registry.get_provider_label(consent.provider)
    detail = f"{provider} · {consent.get_purpose_display()}"
    name = consent.shown_talent_name
    state = render_mark(get_tone(consent.status), consent.get_status_display())
    title, sign = mark_words(name, words), render_face(name)
    return SearchResult(consent.get_absolute_url(), title, mark_words(detail, words), sign=sign, state=state)


def _make_remote_result(remote: RemoteVoice, words: Sequence[str]) -> SearchResult:
    """The id at the provider is shown only if it is what was searched for."""
    provider = registry.get_provider_label(remote.account.provider)
    ids = [value for value in (remote.reference, remote.remote_id) if any(word in fold(value) for word in words)]
    name = remote.name or (remote.voice.name if remote.voice else "Voice without a name")
    detail = mark_words(" · ".join([provider, remote.account.name, *ids]), words)
    sign = render_voice_tile(remote.voice.pk) if remote.voice else ""
    return SearchResult(remote.get_absolute_url(), mark_words(name, words), detail, sign=sign)


MAKERS: dict[str, Callable[[Any, Sequence[str]], SearchResult]] = {
    "people": _make_talent_result,
    "voices": _make_voice_result,
    "recordings": _make_recording_result,
    "builds": _make_build_result,
    "consents": _make_consent_result,
    "remote_voices": _make_remote_result,
}


def mark_words(text: str, words: Sequence[str]) -> SafeString:
    """The text with <mark> around the words, whatever their case and accents. `words` are folded."""
    text = unicodedata.normalize("NFC", text)
    marked = {position for start, end in _find_words(text, words) for position in range(start, end)}
    parts = groupby(range(len(text)), marked.__contains__)
    shown = ((is_marked, "".join(text[position] for position in positions)) for is_marked, positions in parts)
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", part) if is_marked else part,) for is_marked, part in shown)
    )


def cut_text(text: str, words: Sequence[str]) -> str:
    """The part of a long text around the first of the words, cut between words."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    first = min((start for start, _end in _find_words(text, words)), default=0)
    start, end = max(0, first - CHARACTERS_BEFORE), first + CHARACTERS_AFTER
    if start:
        start = text.find(" ", start, first) + 1 or start
    if end < len(text):
        end = text.rfind(" ", first, end) if " " in text[first:end] else end
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _find_words(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """The start and end of each word in the text. A folded letter may be of two letters, and an accent of none."""
    letters = [(letter, position) for position, one in enumerate(text) for letter in fold(one)]
    folded = "".join(letter for letter, _position in letters)
    spans = []
    for word in words:
        start = folded.find(word)
        while start >= 0:
            end = start + len(word)
            spans.append((letters[start][1], letters[end - 1][1] + 1))
            start = folded.find(word, end)
    return spans
