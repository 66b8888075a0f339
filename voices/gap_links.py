"""What is missing for a build, or would improve it, with the links where a person fixes it."""

from collections.abc import Sequence
from typing import NamedTuple

from django.urls import reverse

from voices.presenters import FIX_LINKS
from voices.services.builds.gaps import Gap, GapKind


class CutLink(NamedTuple):
    """Where a recording that the text names is cut."""

    text: str
    url: str


class FixLink(NamedTuple):
    """A missing item or a piece of advice, the link where a user fixes it, and the permission to see the link."""

    text: str
    url: str
    link_text: str
    permission: str = ""
    is_action: bool = False
    """The link is a button that does what it says, by POST."""
    cuts: Sequence[CutLink] = ()


def make_gap_link(gap: Gap, voice_url: str, check_url: str) -> FixLink:
    url, text, permission = FIX_LINKS[gap.kind]
    if gap.kind == GapKind.CHECK_STOPPED:
        return FixLink(gap.text, check_url, text, permission, is_action=True)
    cuts = [CutLink(f"Cut {row.name}", reverse("voices:recording_cuts", args=[row.id])) for row in gap.recordings]
    return FixLink(gap.text, f"{voice_url}{url}" if url else "", text, permission, cuts=cuts)
