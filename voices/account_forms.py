"""What the pages of accounts and of voices at their providers take in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest

from providers import registry
from providers.types import Tier
from voices.models import Account, Mode, Voice
from voices.services.previews import LONGEST_TEXT

# It travels in a header, where anything else would be refused on the way, or read as another key.
KEY = RegexValidator(r"\A[!-~]+\Z", "A key has letters, digits and signs only. Copy it again, without spaces in it.")


class KeyField(forms.CharField):
    """A key goes in and never comes out again: the page is never sent what was typed."""

    def __init__(self, **more: Any) -> None:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
        super().__init__(max_length=500, strip=True, label="API key", widget=widget, validators=[KEY], **more)


class AccountForm(forms.Form):
    name = forms.CharField(
        max_length=100, strip=True, help_text="How the studio calls it, such as “Main” or “Audiobooks, live”."
    )
    provider = forms.ChoiceField(
        choices=registry.choices, error_messages={"required": "Choose one.", "invalid_choice": "Choose one."}
    )
    mode = forms.ChoiceField(
        choices=Mode.choices,
        initial=Mode.LIVE,
        help_text="The sandbox stands in for the provider on the studio's own machine: any key does, nothing is paid.",
    )
    key = KeyField(
        help_text="As the provider's own page shows it. It is sealed at once; nobody sees more than its last four "
        "characters again."
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Account.objects.filter(name=name).exists():
            raise forms.ValidationError(f"There is an account called “{name}” already.")
        return name


class KeyForm(forms.Form):
    key = KeyField(error_messages={"required": "Type the new key first."})


class RemoteReasonForm(forms.Form):
    """Why: it is kept with what was done."""

    reason = forms.CharField(
        max_length=300, strip=True, error_messages={"required": "Write down why; it is kept with what was done."}
    )


class PauseForm(forms.Form):
    reason = forms.CharField(max_length=200, strip=True, error_messages={"required": "Write down why, for the others."})


class RenameForm(forms.Form):
    name = forms.CharField(max_length=100, strip=True, error_messages={"required": "Type a name first."})


class SentenceForm(forms.Form):
    text = forms.CharField(
        max_length=LONGEST_TEXT,
        strip=True,
        error_messages={
            "required": "Type a sentence first.",
            "max_length": f"Type a sentence of at most {LONGEST_TEXT} characters.",
        },
    )


class RemoteIdForm(forms.Form):
    """Which of an account's voices is meant, by the provider's own id."""

    remote_id = forms.CharField(
        max_length=100, strip=False, error_messages={"max_length": "VoiceHub cannot keep an id that is this long."}
    )


class DeleteOrphanForm(RemoteIdForm, RemoteReasonForm):
    pass


class VoiceChoice(forms.ModelChoiceField[Voice]):
    def label_from_instance(self, voice: Voice) -> str:
        return f"{voice.name} ({voice.talent.name})"


class AdoptForm(RemoteIdForm):
    voice = VoiceChoice(
        queryset=Voice.objects.select_related("talent").order_by("talent__name", "name"),
        empty_label="Choose a voice",
        help_text="The talent whose voice this is. Its consent and contract decide whether it may speak.",
    )
    tier = forms.ChoiceField(label="Kind", help_text="What kind of voice it is over there.")

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remote_id"].widget = forms.HiddenInput()
        tiers = registry.provider_class(account.provider).tiers
        self.fields["tier"].choices = [(tier.value, tiers[tier].label) for tier in Tier if tier in tiers]  # type: ignore[attr-defined]


def say_errors(request: HttpRequest, form: forms.Form) -> None:
    messages.error(request, errors_of(form))


def errors_of(form: forms.Form) -> str:
    return " ".join(str(text) for texts in form.errors.values() for text in texts)
