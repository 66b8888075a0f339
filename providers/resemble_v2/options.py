"""The fields of Resemble AI's calls that the studio sets: the description of a voice, emotions, and Fill."""

from collections.abc import Mapping
from typing import Any

from providers.parsing import parse_boolean
from providers.resemble_v2.capabilities import EMOTION
from providers.types import BuildSpec, ClipUpload


def make_description(spec: BuildSpec) -> dict[str, str]:
    """The field with the description, or none: without one, the description at the provider stays as it is."""
    description = spec.options.get("description")
    return {"description": description} if isinstance(description, str) and description else {}


def is_for_fill(spec: BuildSpec) -> bool:
    return spec.options.get("fill") is True


def get_emotion(clip: ClipUpload) -> str:
    return clip.emotion or str(EMOTION.default)


def has_other_labels(item: Mapping[str, Any], clip: ClipUpload, spec: BuildSpec) -> bool:
    """Whether the provider's copy of a clip has another emotion, or is marked otherwise for Fill."""
    emotion, fill = item.get("emotion") or EMOTION.default, parse_boolean(item.get("fill")) or False
    return emotion != get_emotion(clip) or fill != is_for_fill(spec)
