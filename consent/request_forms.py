"""The forms of requests for consent: of one talent, of many talents, and from a table."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from consent.forms import DATE_WIDGET
from consent.models import Purpose, Statement
from consent.services.request_rules import Use
from consent.services.statements import load_newest_statements
from voicehub.name_fields import clean_name
from voicehub.text import format_date, get_language_name

DEFAULT_LANGUAGE = "en-US"


class ManyUsesForm(forms.Form):
    """What to request: purposes at providers, all with statements in one language. A use is "provider:purpose"."""

    language = forms.ChoiceField(label="Language of the statement")
    use = forms.MultipleChoiceField(
        label="Providers and purposes", error_messages={"required": "Tick at least one purpose."}
    )
    company = forms.CharField(
        label="Company in the statement", max_length=120, help_text="Its legal name, as the talent will read it aloud."
    )
    valid_until = forms.DateField(
        label="Valid until", required=False, widget=DATE_WIDGET, help_text="Leave empty for no end date."
    )
    is_sent = forms.BooleanField(
        label="Send the invitation now",
        required=False,
        help_text="One email with one private link for all requests.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"company": settings.VOICEHUB_COMPANY} | (initial or {}))
        self.statements = load_newest_statements()
        self.providers = list(dict.fromkeys(key.partition(":")[0] for key in self.statements))
        languages = sorted({key.partition(":")[2] for key in self.statements}, key=get_language_name)
        self.initial.setdefault("language", _choose_language(languages))
        self.fields["language"].choices = [(tag, get_language_name(tag)) for tag in languages]  # type: ignore[attr-defined]  # a ChoiceField has choices
        self.fields["use"].choices = [  # type: ignore[attr-defined]  # see above
            (f"{provider}:{purpose}", label) for provider in self.providers for purpose, label in Purpose.choices
        ]

    def explain_last_day(self, end: date) -> None:
        """Say why the form proposes this day."""
        self.fields["valid_until"].help_text = f"The contract ends on {format_date(end)}. Leave empty for no end date."

    @property
    def selected_language(self) -> str:
        return str(self["language"].value() or "")

    @property
    def selected_uses(self) -> list[Use]:
        """The uses that are ticked, also in a form with errors."""
        known = dict(self.fields["use"].choices)  # type: ignore[attr-defined]  # see above
        return [self._make_use(key) for key in self["use"].value() or () if key in known]

    def get_uses(self) -> list[Use]:
        """Of a valid form."""
        return [self._make_use(key) for key in self.cleaned_data["use"]]

    def list_selected_statements(self) -> list[Statement]:
        """The statements of the uses that are ticked, each once."""
        keys = dict.fromkeys(f"{use.provider}:{use.language}" for use in self.selected_uses)
        return [self.statements[key] for key in keys if key in self.statements]

    def _make_use(self, key: str) -> Use:
        provider, _, purpose = key.partition(":")
        return Use(provider, self.selected_language, purpose)

    def clean_company(self) -> str:
        return clean_name(self.cleaned_data["company"])

    def clean_valid_until(self) -> Any:
        last_day = self.cleaned_data["valid_until"]
        if last_day and last_day < timezone.localdate():
            raise forms.ValidationError("This date is in the past. Enter today or a later date.")
        return last_day


class RequestTableForm(forms.Form):
    """A table of requests: a file, or its text from the page that showed what would be requested."""

    file = forms.FileField(
        label="Table",
        required=False,
        help_text="CSV in UTF-8, at most 1 MB.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt"}),
    )
    table = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    is_sent = forms.BooleanField(
        label="Send the invitations now",
        required=False,
        help_text="Each talent gets one email, with one private link for all their requests.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned.get("file") and not cleaned.get("table"):
            self.add_error("file", "Choose a file.")
        return cleaned

    def read(self) -> bytes:
        """The content of the table, of a valid form."""
        file = self.cleaned_data["file"]
        content: bytes = file.read() if file else self.cleaned_data["table"].encode()
        return content


def read_address(address: QueryDict) -> dict[str, Any]:
    """The initial values that an address asks for. Links name a `statement` ("provider:language") and a `purpose`."""
    values: dict[str, Any] = {name: address[name] for name in ("language", "company", "valid_until") if name in address}
    provider, _, language = address.get("statement", "").partition(":")
    if language:
        values["language"] = language
    uses = address.getlist("use")
    if provider and "purpose" in address:
        uses.append(f"{provider}:{address['purpose']}")
    if "is_sent" in address:
        values["is_sent"] = True
    return values | ({"use": uses} if uses else {})


def _choose_language(languages: Collection[str]) -> str:
    return DEFAULT_LANGUAGE if DEFAULT_LANGUAGE in languages else next(iter(languages), "")
