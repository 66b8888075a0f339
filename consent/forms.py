"""Forms of this app and their validation."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.utils import timezone
from django.utils.translation import gettext_lazy

from audio.findings.findings import Finding
from consent import extension_points
from consent.country_field import CountriesField
from consent.device_info import parse_device_info
from consent.labels import DELETE_AT_END_LABEL
from consent.models import Contract, ContractDraft, Purpose, Talent
from consent.names import make_short_name
from consent.services.contract_drafts import read_draft
from consent.services.contracts import check_pdf
from consent.services.talent_languages import list_offered_languages
from voicehub.edit_versions import VersionedFormMixin
from voicehub.name_fields import clean_name
from voicehub.storage import StorageUnavailable, StoredFileLost
from voicehub.talent_languages import TALENT_LANGUAGES

if TYPE_CHECKING:  # ModelForm is generic in the stubs only, not at run time
    ModelFormOfTalent = forms.ModelForm[Talent]
    ModelFormOfContract = forms.ModelForm[Contract]
else:
    ModelFormOfTalent = ModelFormOfContract = forms.ModelForm

DATE_WIDGET = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
PARTY_LABEL = "Studio's company in the contract"
PARTY_HELP = "Its legal name. The consent of the talent must name the same company."
DRAFT_LOST = "The file is no longer kept. Choose it again."
COUNTRIES_LABEL = "Countries in which the voice may be used"
COUNTRIES_HELP = "Each build is checked against them."


def list_language_choices() -> list[tuple[str, str]]:
    """The languages of a talent's pages and mails. Those that no admin has released are marked."""
    offered = list_offered_languages()
    return [
        (language, name if language in offered else f"{name} (not released)")
        for language, name in TALENT_LANGUAGES.items()
    ]


class TalentForm(VersionedFormMixin, ModelFormOfTalent):
    class Meta:
        model = Talent
        fields = ["name", "short_name", "email", "agent_email", "phone", "language", "notes"]
        labels = {"email": "Email address", "agent_email": "Agent's email address"}
        help_texts = {
            "short_name": "Others see it instead of the name. Empty: the first name and the first letter of the last.",
            "agent_email": "The agent gets a copy of reminders, without the private link.",
            "language": "The talent can change it on the private page. Until a language is released, English is used.",
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "short_name": forms.TextInput(attrs={"autocomplete": "off"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "agent_email": forms.EmailInput(attrs={"autocomplete": "off"}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = list_language_choices()  # type: ignore[attr-defined]  # a ChoiceField has choices

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean_short_name(self) -> str:
        """An empty one, or one that still follows from the earlier name, follows from the name."""
        short_name, before = self.cleaned_data["short_name"], self.initial.get("name") or ""
        is_default = not short_name or (before and short_name == make_short_name(before))
        return make_short_name(self.cleaned_data.get("name") or "") if is_default else clean_name(short_name)


class ContractForm(ModelFormOfContract):
    """The terms of a contract as fields, and the signed PDF."""

    file = forms.FileField(
        label="Signed contract",
        help_text="PDF, at most 25 MB.",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
    )
    purposes = forms.MultipleChoiceField(
        label="Allowed purposes", choices=Purpose.choices, widget=forms.CheckboxSelectMultiple
    )
    providers = forms.MultipleChoiceField(label="Allowed providers", widget=forms.CheckboxSelectMultiple)
    company = forms.CharField(label=PARTY_LABEL, max_length=120, help_text=PARTY_HELP)
    countries = CountriesField(label=COUNTRIES_LABEL, help_text=COUNTRIES_HELP)
    are_uses_read = forms.BooleanField(
        label="I have read the excluded uses and the training clause. They allow the purposes above.",
        required=False,
        help_text="Without this tick, the contract is filed, but no voice can be built until a person confirms it.",
    )

    class Meta:
        model = Contract
        fields = [
            "file", "company", "signed_on", "starts_on", "ends_on", "territory", "countries", "purposes", "providers",
            "intended_uses", "excluded_uses", "compensation", "representation", "exclusive", "training_allowed",
            "delete_at_end", "supersedes",
        ]  # fmt: skip
        labels = {
            "ends_on": "Ends on",
            "territory": "Territory, in the words of the contract",
            "supersedes": "Replaces contract",
            "exclusive": "Exclusive: only this studio may use the voice",
            "delete_at_end": DELETE_AT_END_LABEL,
        }
        help_texts = {
            "territory": "The clause as it is written. It is filed, not checked.",
            "ends_on": "Empty: no end date.",
        }
        widgets = {
            "signed_on": DATE_WIDGET,
            "starts_on": DATE_WIDGET,
            "ends_on": DATE_WIDGET,
            "intended_uses": forms.Textarea(attrs={"rows": 3}),
            "excluded_uses": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, talent: Talent, *args: Any, draft: ContractDraft | None = None, **kwargs: Any) -> None:
        """`draft` has the file that was sent with an earlier, faulty form. A new file in the form replaces it."""
        super().__init__(*args, **kwargs)
        self.file_warnings: tuple[Finding, ...] = ()
        self.initial["territory"] = ""  # only the contract says it
        self.set_draft(draft)
        self.fields["company"].initial = settings.VOICEHUB_COMPANY
        self.fields["providers"].choices = extension_points.list_provider_choices  # type: ignore[attr-defined]  # a callable is evaluated for each form
        earlier = self.fields["supersedes"]
        earlier.queryset = talent.contracts.filter(superseded_by__isnull=True)  # type: ignore[attr-defined]  # a ModelChoiceField has both
        earlier.empty_label = "None"  # type: ignore[attr-defined]  # see above

    def set_draft(self, draft: ContractDraft | None) -> None:
        self.draft = draft
        self.fields["file"].required = draft is None

    @property
    def new_file(self) -> "File[Any] | None":
        """The file of this form, if it can be filed and is not yet kept as a draft."""
        return self.cleaned_data.get("file") if self.files.get("file") else None

    def clean_file(self) -> "File[Any]":
        file: File[Any] = (
            self._read_draft(self.draft) if self.draft and not self.new_file else self.cleaned_data["file"]
        )
        check = check_pdf(file)
        if check.problem:
            raise forms.ValidationError(check.problem)
        self.file_warnings = check.warnings
        return file

    def _read_draft(self, draft: ContractDraft) -> "File[Any]":
        try:
            return read_draft(draft)
        except StoredFileLost:
            self.set_draft(None)
            raise forms.ValidationError(DRAFT_LOST) from None
        except StorageUnavailable:
            raise forms.ValidationError("The file storage does not respond. Try again in a few minutes.") from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        signed, start, end = (cleaned.get(name) for name in ("signed_on", "starts_on", "ends_on"))
        if signed and signed > timezone.localdate():
            self.add_error("signed_on", "The signing date is in the future. File the contract once it is signed.")
        if start and end and end < start:
            self.add_error("ends_on", "The end date is before the start date. Correct one of them.")
        return cleaned

    def get_terms(self) -> dict[str, Any]:
        """The fields of the contract except the file, for the `terms` parameter of `file_contract`."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"file", "are_uses_read"}}

    def clean_company(self) -> str:
        return clean_name(self.cleaned_data["company"])


class ConfirmTermsForm(forms.Form):
    """The terms of a contract that no person has confirmed. It has no fields for the others."""

    company = forms.CharField(label=PARTY_LABEL, max_length=120, help_text=PARTY_HELP)
    countries = CountriesField(label=COUNTRIES_LABEL)
    purposes = forms.MultipleChoiceField(
        label="I have read the excluded uses and the training clause. They allow:",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, contract: Contract, data: Any = None) -> None:
        super().__init__(data)
        self.fields["company"].initial = settings.VOICEHUB_COMPANY
        confirmed = {row.purpose for row in contract.confirmations.all()}
        choices = [
            (value, label) for value, label in Purpose.choices if value in contract.purposes and value not in confirmed
        ]
        self.fields["purposes"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField has choices
        is_confirmed = {"company": contract.company, "countries": contract.countries, "purposes": not choices}
        for name in [name for name, value in is_confirmed.items() if value]:
            del self.fields[name]

    def clean_company(self) -> str:
        return clean_name(self.cleaned_data["company"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            raise forms.ValidationError("Nothing is confirmed yet. Tick at least one purpose.")
        return cleaned


class ReasonField(forms.CharField):
    """Up to 1,000 characters. A line end counts as one, as in the browser, which sends it as two."""

    def __init__(self, *, limit: int = 1000, **kwargs: Any) -> None:
        super().__init__(max_length=limit, strip=True, **kwargs)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class ReasonForm(forms.Form):
    """A required reason. The audit log keeps its words."""

    reason = ReasonField(error_messages={"required": "Enter a reason. It is stored in the audit log."})


class ComparisonAnswerForm(ReasonForm):
    """The answer that a talent gave to staff, how they gave it, and the hash of the words that they were read."""

    is_allowed = forms.ChoiceField(
        choices=[("yes", "Yes"), ("no", "No")], error_messages={"required": "Choose yes or no."}
    )
    words = forms.CharField(max_length=64, required=False)


class LanguageForm(ReasonForm):
    """A language to allow, and the required reason."""

    language = forms.SlugField(max_length=8)


class ApprovalForm(forms.Form):
    """The reason for an approval. The check results of the take decide whether it is required."""

    reason = ReasonField(required=False)


class DeclineForm(forms.Form):
    """The talent may decline or withdraw without a reason."""

    reason = ReasonField(required=False)


class TakeForm(forms.Form):
    """A recording of the statement with data from the browser. Only the file is required."""

    file = forms.FileField(
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("Choose a file that is not empty."),
        }
    )
    sha256 = forms.RegexField(r"^[0-9a-f]{64}$", required=False)
    device = forms.CharField(max_length=4000, required=False)
    recorded = forms.BooleanField(required=False)

    def clean_device(self) -> dict[str, Any]:
        return parse_device_info(self.cleaned_data["device"])
