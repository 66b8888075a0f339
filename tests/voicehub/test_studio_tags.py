"""What all pages show in the same way: times, durations, states, fields, pages."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.db.models import TextChoices
from django.http import HttpRequest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone

from consent.models import ConsentStatus
from tests.support.html import collapse_whitespace
from voicehub import text
from voicehub.models import TaskStatus
from voicehub.templatetags import studio
from voices.models import BuildStatus, RecordingStatus

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def shown(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    around = RequestContext(request, context) if request else Context(context)
    return collapse_whitespace(Template("{% load studio %}" + source).render(around))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (5.4, "5 s"),
        (59.6, "1 min"),
        (134, "2 min 14 s"),
        (600, "10 min"),
        (3599.6, "1 h"),
        (3725, "1 h 2 min"),
        (None, "–"),
    ],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert text.format_duration(seconds) == words


def test_positions() -> None:
    assert [text.format_position(seconds) for seconds in (5.4, 65, 3725)] == ["0:05", "1:05", "1:02:05"]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "3 March 2026"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(days=-30), "9 April 2026"),
    ],
)
def test_times_in_words(before: timedelta, words: str) -> None:
    assert studio.describe_moment(NOW - before, NOW) == words


def test_a_time_can_be_read_by_machines_and_to_the_second() -> None:
    moment = timezone.now() - timedelta(minutes=3)
    out = shown("{{ moment|ago }}", moment=moment)
    assert f'datetime="{moment.isoformat(timespec="seconds")}"' in out
    assert ">3 minutes ago</time>" in out and 'UTC">' in out
    assert shown("{{ moment|ago }}{{ moment|exact }}{{ moment|day }}", moment=None) == ""


@pytest.mark.parametrize(("share", "words"), [(0, "0%"), (0.126, "13%"), (1, "100%"), (None, "–")])
def test_shares(share: float | None, words: str) -> None:
    assert studio.percent(share) == words


@pytest.mark.parametrize("choices", [ConsentStatus, BuildStatus, RecordingStatus, TaskStatus])
def test_every_state_has_its_words_and_a_colour(choices: type[TextChoices]) -> None:
    for status in choices:
        row = SimpleNamespace(status=status.value, get_status_display=lambda label=status.label: label)
        out = studio.status_badge(row)
        assert f">{status.label}</span>" in out
        assert "state-over" not in out or status.value in {"voided", "expired", "cancelled"}, status


class Form(forms.Form):
    name = forms.CharField(help_text="As on the paper.")
    kind = forms.ChoiceField(choices=[("a", "One"), ("b", "Two")])
    many = forms.MultipleChoiceField(choices=[("a", "One"), ("b", "Two")], widget=forms.CheckboxSelectMultiple)
    yes = forms.BooleanField(required=False)


def test_a_field_is_tied_to_its_label_its_help_and_its_errors() -> None:
    form = Form({"name": "", "kind": "a", "many": ["b"]})
    out = shown("{% field form.name data_more='x' %}", form=form)
    assert '<label class="form-label required" for="id_name">' in out and 'data-more="x"' in out
    assert 'aria-describedby="id_name_helptext id_name_error"' in out and 'aria-invalid="true"' in out
    assert 'id="id_name_helptext"' in out and 'id="id_name_error"' in out and "is-invalid" in out


def test_choices_are_a_group_with_a_name() -> None:
    out = shown("{% field form.many %}{% field form.yes %}{% field form.kind %}", form=Form({"many": ["b"]}))
    assert "<fieldset" in out and "<legend" in out
    assert 'value="b" id="id_many_1" checked' in out and 'value="a" id="id_many_0">' in out
    assert out.count("form-check-input") == 3 and "form-select" in out


def test_links_to_pages_keep_the_rest_of_the_address() -> None:
    request = RequestFactory().get("/talents/?search=a%26b&page=2")
    page = Paginator(range(100), 10).page(2)
    out = shown("{% pages page %}", page=page, request=request)
    assert "?search=a%26b&amp;page=3" in out and 'aria-current="page">2<' in out and "…" in out
    assert shown("{% pages page %}", page=Paginator(range(5), 10).page(1), request=request).strip() == ""
