"""What people fill in: the fields, and what is wrong with what was put into them."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from consent import extension_points
from consent.labels import DELETE_AT_END_LABEL, get_language_name
from consent.models import Contract, Purpose, Statement, Talent
from consent.services.contracts import find_pdf_problem

if TYPE_CHECKING:  # the stubs' class knows of which model it is, Django's own does not
    ModelFormOfTalent = forms.ModelForm[Talent]
    ModelFormOfContract = forms.ModelForm[Contract]
else:
    ModelFormOfTalent = ModelFormOfContract = forms.ModelForm

DATE_WIDGET = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
# What is kept of a browser's word on its microphone; its identifiers of devices are nobody's business.
DEVICE_KEYS = (
    "label", "sampleRate", "channelCount", "echoCancellation", "noiseSuppression", "autoGainControl", "contextRate",
)  # fmt: skip


def collapse_whitespace(text: str) -> str:
    """`text` without line breaks: names stand in the subject of a mail and in the sentence that is read aloud."""
    return " ".join(text.split())


class TalentForm(ModelFormOfTalent):
    class Meta:
        model = Talent
        fields = ["name", "email", "phone", "notes"]
        labels = {"email": "Mail address"}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def clean_name(self) -> str:
        return collapse_whitespace(self.cleaned_data["name"])


class ContractForm(ModelFormOfContract):
    """The terms of a contract as fields, and its paper as a PDF."""

    file = forms.FileField(
        label="The signed contract",
        help_text="A PDF of at most 25 MB.",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
    )
    purposes = forms.MultipleChoiceField(
        label="It allows the voice for", choices=Purpose.choices, widget=forms.CheckboxSelectMultiple
    )
    providers = forms.MultipleChoiceField(label="It allows the providers", widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Contract
        fields = [
            "file", "signed_on", "starts_on", "ends_on", "territory", "purposes", "providers", "intended_uses",
            "excluded_uses", "compensation", "representation", "exclusive", "training_allowed", "delete_at_end",
            "supersedes",
        ]  # fmt: skip
        labels = {
            "ends_on": "Ends on",
            "supersedes": "It replaces",
            "exclusive": "Exclusive: the voice is given to nobody else",
            "delete_at_end": DELETE_AT_END_LABEL,
        }
        widgets = {
            "signed_on": DATE_WIDGET,
            "starts_on": DATE_WIDGET,
            "ends_on": DATE_WIDGET,
            "intended_uses": forms.Textarea(attrs={"rows": 3}),
            "excluded_uses": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, talent: Talent, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["providers"].choices = extension_points.list_provider_choices  # type: ignore[attr-defined]  # asked for anew each time
        earlier = self.fields["supersedes"]
        earlier.queryset = talent.contracts.filter(superseded_by__isnull=True)  # type: ignore[attr-defined]  # as below
        earlier.empty_label = "None"  # type: ignore[attr-defined]  # a choice of models has both

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if problem := find_pdf_problem(file):
            raise forms.ValidationError(problem)
        return file

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        signed, start, end = (cleaned.get(name) for name in ("signed_on", "starts_on", "ends_on"))
        if signed and signed > timezone.localdate():
            self.add_error("signed_on", "This day is still to come. File the contract when it is signed.")
        if start and end and end < start:
            self.add_error("ends_on", "It ends before it begins.")
        return cleaned

    def terms(self) -> dict[str, Any]:
        """Everything but the file, as `services.file_contract` takes it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "file"}


class ConsentRequestForm(forms.Form):
    """Which consent to ask for. `statement` is "provider:language", of the statements that are in use."""

    statement = forms.ChoiceField(label="Provider and language")
    purpose = forms.ChoiceField(label="What the voice is for", choices=Purpose.choices)
    company = forms.CharField(
        label="Company in the statement", max_length=120, help_text="Its legal name, as the talent will say it."
    )
    valid_until = forms.DateField(
        label="Valid until", required=False, widget=DATE_WIDGET, help_text="Leave empty when it has no end."
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={"company": settings.VOICEHUB_COMPANY} | (initial or {}))
        self.statements = load_newest_statements()
        self.fields["statement"].choices = [  # type: ignore[attr-defined]  # a ChoiceField has them
            (key, f"{extension_points.get_provider_label(one.provider)}, {get_language_name(one.language)}")
            for key, one in self.statements.items()
        ]

    def get_selected_statement(self) -> Statement | None:
        """The statement that is chosen in the form as it stands, or else the first."""
        key = self["statement"].value()
        return self.statements.get(key) or next(iter(self.statements.values()), None)

    def clean_company(self) -> str:
        return collapse_whitespace(self.cleaned_data["company"])

    def clean_valid_until(self) -> Any:
        last = self.cleaned_data["valid_until"]
        if last and last < timezone.localdate():
            raise forms.ValidationError("This day is over.")
        return last


def load_newest_statements() -> dict[str, Statement]:
    """The newest version in use of each statement, by "provider:language", in the order that providers are offered."""
    offered = [slug for slug, _label in extension_points.list_provider_choices()]
    rows = sorted(
        Statement.objects.filter(retired=False).order_by("provider", "language", "version"),
        key=lambda row: offered.index(row.provider) if row.provider in offered else len(offered),
    )
    return {f"{row.provider}:{row.language}": row for row in rows}


class ReasonForm(forms.Form):
    """Why: it goes into the history as it is written."""

    reason = forms.CharField(
        max_length=1000, error_messages={"required": "Write down why; the history keeps it."}, strip=True
    )


class ApprovalForm(forms.Form):
    """Why a take is approved all the same; whether that has to be said depends on what the checks heard in it."""

    reason = forms.CharField(max_length=1000, required=False, strip=True)


class DeclineForm(forms.Form):
    """A talent need not say why."""

    reason = forms.CharField(max_length=1000, required=False)


class TakeForm(forms.Form):
    """A recording of the statement with what the browser knows of it. Everything but the file may be missing."""

    file = forms.FileField(error_messages={"required": "Choose a WAV file first.", "empty": "This file is empty."})
    sha256 = forms.RegexField(r"^[0-9a-f]{64}$", required=False)
    device = forms.CharField(max_length=4000, required=False)
    recorded = forms.BooleanField(required=False)

    def clean_device(self) -> dict[str, Any]:
        try:
            said = json.loads(self.cleaned_data["device"] or "{}")
        except (ValueError, RecursionError):
            return {}
        return filter_device_info(said) if isinstance(said, dict) else {}


def filter_device_info(said: dict[str, Any]) -> dict[str, Any]:
    """What is kept of it: only keys that we know, with short plain values that every database takes."""
    return {key: kept for key in DEVICE_KEYS if (kept := _clean_value(said.get(key))) is not None}


def _clean_value(value: Any) -> str | float | None:
    if isinstance(value, str):
        return "".join(letter for letter in value if letter.isprintable())[:120]
    # No real rate or count is larger; what is no number at all, or without an end, is not smaller either.
    return value if isinstance(value, int | float) and abs(value) < 1e9 else None
