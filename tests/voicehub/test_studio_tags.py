"""How all pages show times, durations, statuses, form fields and page links."""

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


def render_template(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    template_context = RequestContext(request, context) if request else Context(context)
    return collapse_whitespace(Template("{% load studio %}" + source).render(template_context))


@pytest.mark.parametrize(
    ("seconds", "expected"),
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
def test_duration_is_written_in_two_units(seconds: float | None, expected: str) -> None:
    assert text.format_duration(seconds) == expected


def test_position_is_written_like_a_clock() -> None:
    assert [text.format_position(seconds) for seconds in (5.4, 65, 3725)] == ["0:05", "1:05", "1:02:05"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "March 3, 2026"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(days=-30), "April 9, 2026"),
    ],
)
def test_moment_is_described_relative_to_now(before: timedelta, expected: str) -> None:
    assert studio.describe_moment(NOW - before, NOW) == expected


def test_moment_is_a_time_element_with_a_machine_readable_time() -> None:
    moment = timezone.now() - timedelta(minutes=3)
    html = render_template("{{ moment|ago }}", moment=moment)
    assert f'datetime="{moment.isoformat(timespec="seconds")}"' in html
    assert ">3 minutes ago</time>" in html and 'UTC">' in html
    assert render_template("{{ moment|ago }}{{ moment|exact }}{{ moment|day }}", moment=None) == ""


@pytest.mark.parametrize(("share", "expected"), [(0, "0%"), (0.126, "13%"), (1, "100%"), (None, "–")])
def test_share_is_written_in_percent(share: float | None, expected: str) -> None:
    assert studio.percent(share) == expected


# What has ended, or waits for a time or for a person outside the studio.
OVER = {"voided", "expired", "replaced", "cancelled", "requested", "waiting"}


@pytest.mark.parametrize("choices", [ConsentStatus, BuildStatus, RecordingStatus, TaskStatus])
def test_every_status_has_label_and_color(choices: type[TextChoices]) -> None:
    for status in choices:
        row = SimpleNamespace(status=status.value, get_status_display=lambda label=status.label: label)
        html = studio.status_badge(row)
        assert f">{status.label}</span>" in html
        assert "state-over" not in html or status.value in OVER, status


class ExampleForm(forms.Form):
    name = forms.CharField(help_text="As on the paper.")
    kind = forms.ChoiceField(choices=[("a", "One"), ("b", "Two")])
    many = forms.MultipleChoiceField(choices=[("a", "One"), ("b", "Two")], widget=forms.CheckboxSelectMultiple)
    yes = forms.BooleanField(required=False)


def test_field_refers_to_its_label_help_and_errors() -> None:
    form = ExampleForm({"name": "", "kind": "a", "many": ["b"]})
    html = render_template("{% field form.name data_more='x' %}", form=form)
    assert '<label class="form-label required" for="id_name">' in html and 'data-more="x"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html and 'aria-invalid="true"' in html
    assert 'id="id_name_helptext"' in html and 'id="id_name_error"' in html and "is-invalid" in html


def test_multiple_choices_are_a_fieldset_with_legend() -> None:
    html = render_template(
        "{% field form.many %}{% field form.yes %}{% field form.kind %}", form=ExampleForm({"many": ["b"]})
    )
    assert "<fieldset" in html and "<legend" in html
    assert 'value="b" id="id_many_1" checked' in html and 'value="a" id="id_many_0">' in html
    assert html.count("form-check-input") == 3 and "form-select" in html


def test_page_links_keep_the_query_string() -> None:
    request = RequestFactory().get("/talents/?search=a%26b&page=2")
    page = Paginator(range(100), 10).page(2)
    html = render_template("{% pages page %}", page=page, request=request)
    assert "?search=a%26b&amp;page=3" in html and 'aria-current="page">2<' in html and "…" in html
    assert render_template("{% pages page %}", page=Paginator(range(5), 10).page(1), request=request).strip() == ""
