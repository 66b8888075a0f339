"""Forms of accounts and of voices at providers."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.http import HttpRequest
from django.utils import timezone

from consent.forms import DATE_WIDGET
from consent.models import Consent
from providers import registry
from providers.types import Tier
from voicehub.models import User
from voices.models import Account, AccountMode, Voice
from voices.services.builds.offline_proof import ProofDetails, list_proof_accounts
from voices.services.builds.proof_files import ProofFile, check_proof_file
from voices.services.deletion_assignment import query_assignable_users

# The key is sent in a header. Other characters would be rejected in transit or change the key.
KEY_VALIDATOR = RegexValidator(
    r"\A[!-~]+\Z", "The key may contain only letters, digits and symbols. Copy it again without spaces."
)


class KeyField(forms.CharField):
    """The field of an API key. A page never shows the entered key again."""

    def __init__(self, **field_options: Any) -> None:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
        super().__init__(
            max_length=500, strip=True, label="API key", widget=widget, validators=[KEY_VALIDATOR], **field_options
        )


class AccountForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        strip=True,
        help_text="The studio's name for this account, such as “Main” or “Audiobooks, live”.",
    )
    provider = forms.ChoiceField(
        choices=registry.list_provider_choices,
        error_messages={"required": "Choose a provider.", "invalid_choice": "Choose a provider."},
    )
    mode = forms.ChoiceField(
        choices=AccountMode.choices,
        initial=AccountMode.LIVE,
        help_text="The sandbox simulates the provider on your own server. Any key works and nothing is charged.",
    )
    key = KeyField(
        help_text="Copy it from the provider's website. VoiceHub encrypts it and shows only the last four characters."
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Account.objects.filter(name=name).exists():
            raise forms.ValidationError(f"An account called “{name}” already exists. Choose another name.")
        return name


class KeyForm(forms.Form):
    key = KeyField(error_messages={"required": "Enter the new key."})


class RemoteReasonForm(forms.Form):
    """The reason for a deletion, or for its confirmation by hand. It is stored with the deletion."""

    reason = forms.CharField(
        max_length=300, strip=True, error_messages={"required": "Enter a reason. It is stored with the deletion."}
    )


class AssignDeletionForm(forms.Form):
    """The person who deletes a voice on the provider's website."""

    user = forms.ModelChoiceField(
        queryset=User.objects.none(),
        error_messages={
            "required": "Choose a person.",
            "invalid_choice": "This person is not allowed to delete voices. Choose another person.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = query_assignable_users()  # type: ignore[attr-defined]  # a ModelChoiceField has it


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=200, strip=True, error_messages={"required": "Enter a reason, so that your colleagues know."}
    )


class AccountChoiceField(forms.ModelChoiceField[Account]):
    def label_from_instance(self, account: Account) -> str:
        return f"{account.name}, sandbox" if account.mode == AccountMode.SANDBOX else account.name


class OfflineProofForm(forms.Form):
    """The document that was sent to the provider, and to whom. `checked` is the result of the check of the file."""

    account = AccountChoiceField(
        queryset=Account.objects.none(),
        empty_label=None,
        help_text="The account that the provider enables for this talent.",
        error_messages={"required": "Choose one of the accounts.", "invalid_choice": "Choose one of the accounts."},
    )
    file = forms.FileField(
        label="Document that was sent",
        help_text="The contract as a PDF or picture, or a video of the talent. At most 200 MB. It is stored unchanged.",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.mp4,.mov,.webm"}),
        error_messages={"required": "Choose the document that was sent."},
    )
    sent_on = forms.DateField(label="Sent on", widget=DATE_WIDGET)
    sent_to = forms.CharField(
        label="Sent to",
        max_length=200,
        strip=True,
        help_text="The address or the person at the provider.",
        error_messages={"required": "Enter the address or the person at the provider."},
    )
    sent_by = forms.CharField(label="Sent by", max_length=150, strip=True)
    confirmed_on = forms.DateField(
        label="Confirmed on",
        required=False,
        widget=DATE_WIDGET,
        help_text="The day on which the provider enabled the account. Leave empty until then.",
    )
    note = forms.CharField(required=False, max_length=1000, strip=True, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, consent: Consent, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checked = ProofFile()
        ids = [account.pk for account in list_proof_accounts(consent)]
        self.fields["account"].queryset = Account.objects.filter(pk__in=ids)  # type: ignore[attr-defined]  # a ModelChoiceField has it

    def clean_file(self) -> "UploadedFile[Any]":
        file: UploadedFile[Any] = self.cleaned_data["file"]
        self.checked = check_proof_file(file)
        if self.checked.problem:
            raise forms.ValidationError(self.checked.problem)
        return file

    def clean_sent_on(self) -> date:
        return require_no_future_day(self.cleaned_data["sent_on"])

    def clean_confirmed_on(self) -> date | None:
        day = self.cleaned_data["confirmed_on"]
        return require_no_future_day(day) if day else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("confirmed_on") and data.get("sent_on") and data["confirmed_on"] < data["sent_on"]:
            self.add_error("confirmed_on", "It cannot be confirmed before it was sent. Correct one of the dates.")
        return data

    @property
    def details(self) -> ProofDetails:
        names = ("sent_on", "sent_to", "sent_by", "confirmed_on", "note")
        return ProofDetails(**{name: self.cleaned_data[name] for name in names})


class ProofConfirmationForm(forms.Form):
    """The day on which the provider accepted a proof."""

    confirmed_on = forms.DateField(
        label="Confirmed on",
        widget=DATE_WIDGET,
        error_messages={"required": "Enter the day on which the provider confirmed it."},
    )

    def clean_confirmed_on(self) -> date:
        return require_no_future_day(self.cleaned_data["confirmed_on"])


def require_no_future_day(day: date) -> date:
    if day > timezone.localdate():
        raise forms.ValidationError("This date is in the future. Enter today or an earlier date.")
    return day


class UploaderForm(forms.Form):
    """Whether the provider asks for no proof of consent of this account, who confirmed it, and why it is set."""

    is_authorized = forms.BooleanField(required=False)
    source = forms.CharField(required=False, max_length=300, strip=True)
    reason = forms.CharField(max_length=300, strip=True, error_messages={"required": "Enter a reason."})


class RenameForm(forms.Form):
    name = forms.CharField(max_length=100, strip=True, error_messages={"required": "Enter a name."})


class SentenceForm(forms.Form):
    """The text of a preview. The service checks its length, which depends on the provider."""

    text = forms.CharField(strip=True, error_messages={"required": "Enter a sentence."})


class RemoteIdForm(forms.Form):
    """Names one voice of an account by its id at the provider."""

    remote_id = forms.CharField(
        max_length=100,
        strip=False,
        error_messages={"max_length": "The voice ID is too long. VoiceHub accepts at most 100 characters."},
    )


class DeleteUnknownVoiceForm(RemoteIdForm, RemoteReasonForm):
    pass


class VoiceChoiceField(forms.ModelChoiceField[Voice]):
    def label_from_instance(self, voice: Voice) -> str:
        return f"{voice.name} ({voice.talent.shown_name})"


class AdoptForm(RemoteIdForm):
    voice = VoiceChoiceField(
        queryset=Voice.objects.select_related("talent").order_by("talent__short_name", "name"),
        empty_label="Choose a voice",
        help_text="The studio's voice that gets it. The talent's consent and contract decide if it may be used.",
    )
    tier = forms.ChoiceField(label="Kind", help_text="The kind of voice at the provider.")

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remote_id"].widget = forms.HiddenInput()
        tiers = registry.get_provider_class(account.provider).tiers
        self.fields["tier"].choices = [(tier.value, tiers[tier].label) for tier in Tier if tier in tiers]  # type: ignore[attr-defined]


def show_errors(request: HttpRequest, form: forms.Form) -> None:
    messages.error(request, format_errors(form))


def format_errors(form: forms.Form) -> str:
    return " ".join(str(error) for field_errors in form.errors.values() for error in field_errors)
