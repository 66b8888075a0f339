"""The options of a build: the fields of the provider that a person sets, and the emotion of each recording."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Count

from providers.options import OFF, ON, OptionInvalid, OptionKind, OptionValue, TierOption, check_options
from providers.types import Capabilities
from voicehub.refusals import ActionRefused
from voices.models import Build, Recording, Voice


class ShownOption(NamedTuple):
    """An option with its value, as pages show it."""

    label: str
    text: str


def freeze_options(capabilities: Capabilities, values: Mapping[str, object]) -> dict[str, OptionValue]:
    """The value of every option of the tier, to be stored with a build. Raises ActionRefused."""
    try:
        return check_options(capabilities.options, values)
    except OptionInvalid as invalid:
        raise ActionRefused(str(invalid)) from None


def freeze_emotion(capabilities: Capabilities, recording: Recording, voice: Voice) -> str:
    """The emotion of a recording, else that of its voice, else the default. Empty if the provider takes none."""
    if capabilities.emotion is None:
        return ""
    return recording.emotion or voice.emotion or str(capabilities.emotion.default)


def list_shown_options(build: Build) -> list[ShownOption]:
    """The options with which a build was started, by the labels of today. One that is gone is shown by its name."""
    capabilities = build.remote_voice.find_capabilities()
    known = {option.name: option for option in capabilities.options} if capabilities else {}
    return [_describe_option(known.get(name), name, value) for name, value in build.options.items()]


def list_option_fields(build: Build) -> list[tuple[str, str]]:
    """The options of a build as form fields, to build again with the same. An option that is gone is excluded."""
    capabilities = build.remote_voice.find_capabilities()
    names = {option.name for option in capabilities.options} if capabilities else set()
    return [(name, _format_field(value)) for name, value in build.options.items() if name in names]


def _format_field(value: OptionValue) -> str:
    return value if isinstance(value, str) else ON if value else OFF


def _describe_option(option: TierOption | None, name: str, value: OptionValue) -> ShownOption:
    label = option.label if option else name.replace("_", " ").capitalize()
    if isinstance(value, bool):
        return ShownOption(label, "Yes" if value else "No")
    labels = dict(option.choices) if option and option.kind is OptionKind.CHOICE else {}
    return ShownOption(label, labels.get(value, value) or "None")


def describe_emotions(build: Build) -> str:
    """“happy, 12; calm, 3” for the emotions of a build's recordings. Only the word if all share it; empty without."""
    rows = build.recordings.exclude(emotion="").order_by().values_list("emotion")
    counts = list(rows.annotate(count=Count("*")).order_by("-count", "emotion"))
    if len(counts) == 1:
        return str(counts[0][0])
    return "; ".join(f"{emotion}, {count}" for emotion, count in counts)
