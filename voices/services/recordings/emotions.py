"""The emotion of a recording: which providers take one, and the stored value."""

from providers import registry
from providers.options import OptionInvalid, TierOption, check_option
from voicehub.refusals import ActionRefused
from voices.models import Recording


def find_emotion_option() -> TierOption | None:
    """The emotion that providers take, with the shortest limit of its length. None if no provider takes one."""
    tiers = (tier for provider in registry.list_providers() for tier in provider.tiers.values())
    options = [tier.emotion for tier in tiers if tier.emotion]
    return min(options, key=lambda option: option.max_length, default=None)


def list_emotion_providers() -> list[str]:
    """The names of the providers that take an emotion."""
    return [
        provider.label
        for provider in registry.list_providers()
        if any(tier.emotion for tier in provider.tiers.values())
    ]


def check_emotion(text: str) -> str:
    """The emotion as it is stored. Empty means the default. Raises ActionRefused."""
    option = find_emotion_option()
    if option is None or not text:
        return ""
    try:
        return str(check_option(option, text))
    except OptionInvalid as invalid:
        raise ActionRefused(str(invalid)) from None


def set_emotion(recording: Recording, text: str) -> None:
    """Save the emotion of one recording. Empty means that of its voice. Raises ActionRefused."""
    recording.emotion = check_emotion(text)
    recording.save(update_fields=["emotion"])
