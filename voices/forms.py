"""Forms of voices, recordings and builds."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from audio.datasets.layouts import Layout
from consent.country_field import CountriesField
from consent.models import WORLDWIDE, Purpose
from providers.types import Tier
from voicehub.edit_versions import VersionedFormMixin
from voicehub.text import join_with_and
from voices.models import BuildStatus, DatasetLayout
from voices.models.choices import HANDOVER_CHOICES
from voices.services.recordings.emotions import find_emotion_option, list_emotion_providers

LANGUAGES = [
    ("en-US", "English (United States)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-AU", "English (Australia)"),
    ("en-IN", "English (India)"),
    ("de-DE", "German"),
    ("es-ES", "Spanish (Spain)"),
    ("es-MX", "Spanish (Mexico)"),
    ("fr-FR", "French"),
    ("it-IT", "Italian"),
    ("ja-JP", "Japanese"),
    ("nl-NL", "Dutch"),
    ("pl-PL", "Polish"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("sv-SE", "Swedish"),
]
OPTION_PREFIX = "option-"
CHOOSE_ANSWER = "Choose whether the provider has it."
CHOOSE_OUTCOME = "Choose whether the build is ready or has failed."
MAX_TRANSCRIPT_LENGTH = 2000
MAX_EMOTION_LENGTH = 64  # of the column; a provider may allow fewer characters
REMOTE_ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,100}$")


class VoiceEditForm(VersionedFormMixin, forms.Form):
    """What can be changed later. The consent and the recordings depend on the language and the purpose."""

    name = forms.CharField(
        max_length=100, help_text="The studio's name for this voice, such as “Warm narrator”.", strip=True
    )
    countries = CountriesField(
        label="Countries in which the voice is used",
        initial=[WORLDWIDE],
        help_text="The contract must cover all of them.",
    )
    emotion = forms.CharField(
        label="Emotion of the recordings",
        required=False,
        max_length=MAX_EMOTION_LENGTH,
        strip=True,
        widget=forms.TextInput(attrs={"list": "emotions", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        option = find_emotion_option()
        if option is None:
            del self.fields["emotion"]
        else:
            self.fields["emotion"].help_text = (
                f"{option.help} Sent to {join_with_and(list_emotion_providers())} with each recording that has none of"
                f" its own. Empty: {option.default}."
            )


class VoiceForm(VoiceEditForm):
    language = forms.ChoiceField(choices=LANGUAGES, help_text="The language of the recordings.")
    purpose = forms.ChoiceField(
        choices=Purpose.choices, help_text="The consent and the contract must allow exactly this purpose."
    )


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A field for several files. Its value is the list of files."""

    def __init__(self) -> None:
        super().__init__(
            widget=ManyFilesInput, allow_empty_file=True, error_messages={"required": "Choose one or more files."}
        )

    def clean(self, data: "Sequence[UploadedFile[Any]] | None", initial: Any = None) -> Any:
        if not data:
            raise forms.ValidationError("Choose one or more files.", code="required")
        return [super(ManyFilesField, self).clean(file, initial) for file in data]


class ImportForm(forms.Form):
    """The files of an import, from a page without scripts."""

    recordings = ManyFilesField()


class TranscriptForm(forms.Form):
    """`version` is that of the text that the page was made from, or of the one that the user chose to overwrite."""

    transcript = forms.CharField(required=False, max_length=MAX_TRANSCRIPT_LENGTH)
    emotion = forms.CharField(required=False, max_length=MAX_EMOTION_LENGTH, strip=True)
    version = forms.CharField(required=False, max_length=40)

    def clean_version(self) -> str:
        return str(self.data.get("overwrite") or self.cleaned_data["version"])


class BuildForm(forms.Form):
    account = forms.UUIDField()
    tier = forms.ChoiceField(choices=[(tier.value, tier.value) for tier in Tier])
    handover = forms.ChoiceField(choices=HANDOVER_CHOICES)
    new_voice = forms.ChoiceField(choices=[("no", "no"), ("yes", "yes")], required=False)


def read_options(data: QueryDict) -> dict[str, object]:
    """The options in the fields “option-…”. Of a switch, the last value counts: its hidden field comes first."""
    return {name.removeprefix(OPTION_PREFIX): data[name] for name in data if name.startswith(OPTION_PREFIX)}


class ResolveSubmitForm(forms.Form):
    """The answer of staff on a build whose submit response was lost: whether the provider has the voice."""

    step = forms.CharField(required=False, max_length=20)
    exists = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        coerce=lambda value: value == "yes",
        error_messages={"required": CHOOSE_ANSWER, "invalid_choice": CHOOSE_ANSWER},
    )
    remote_id = forms.CharField(required=False, max_length=100, strip=True)
    why = forms.CharField(max_length=300, strip=True, error_messages={"required": "Enter how you know this."})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("exists") and not REMOTE_ID_PATTERN.match(data.get("remote_id", "")):
            self.add_error(
                "remote_id", "Copy the voice ID from the provider's website. It has letters, digits and . _ : - only."
            )
        return data

    @property
    def confirmed_id(self) -> str:
        """The remote id, or an empty string if the provider does not have the voice."""
        return self.cleaned_data["remote_id"] if self.cleaned_data["exists"] else ""


class ResolveTrainingForm(forms.Form):
    """The answer of staff on a build whose provider status VoiceHub does not recognize: ready or failed."""

    became = forms.TypedChoiceField(
        choices=[(status.value, status.value) for status in (BuildStatus.READY, BuildStatus.FAILED)],
        coerce=BuildStatus,
        error_messages={"required": CHOOSE_OUTCOME, "invalid_choice": CHOOSE_OUTCOME},
    )
    why = forms.CharField(max_length=300, strip=True, error_messages={"required": "Enter how you know this."})


class DatasetForm(forms.Form):
    """What is downloaded of a voice: its layout, and which recordings."""

    layout = forms.TypedChoiceField(
        choices=DatasetLayout.choices,
        coerce=Layout,
        initial=DatasetLayout.VOICEHUB,
        error_messages={"required": "Choose a layout.", "invalid_choice": "Choose one of these layouts."},
    )
    only_in_builds = forms.TypedChoiceField(
        choices=[("no", "no"), ("yes", "yes")],
        coerce=lambda value: value == "yes",
        initial="no",
        error_messages={"required": "Choose the recordings.", "invalid_choice": "Choose the recordings."},
    )
