"""Forms of accounts and of voices at providers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest

from providers import registry
from providers.types import Tier
from voicehub.models import User
from voices.models import Account, AccountMode, Voice
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
            "invalid_choice": "This person may not delete voices. Choose another person.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = query_assignable_users()  # type: ignore[attr-defined]  # a ModelChoiceField has it


class PauseForm(forms.Form):
    reason = forms.CharField(
        max_length=200, strip=True, error_messages={"required": "Enter a reason, so that your colleagues know."}
    )


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
        return f"{voice.name} ({voice.talent.name})"


class AdoptForm(RemoteIdForm):
    voice = VoiceChoiceField(
        queryset=Voice.objects.select_related("talent").order_by("talent__name", "name"),
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
