"""What several pages show of accounts and of voices at their providers."""

from collections.abc import Sequence

from django import template

from voices import access, presenters
from voices.models import RemoteVoice, Voice
from voices.presenters import Spoken, spoken

register = template.Library()
register.filter("account_standing", presenters.of_account)
register.filter("remote_standing", presenters.of_remote)
register.filter("remote_kind", presenters.kind)


@register.simple_tag
def remote_voices_of(voice: Voice) -> Sequence[RemoteVoice]:
    """Those of a voice, newest first; one that never came to be is of no interest."""
    return list(access.remote_voices().filter(voice=voice).exclude(remote_id="", retired_at=None)[:50])


@register.simple_tag
def spoken_by(remote: RemoteVoice) -> Spoken:
    """Its previews, and why it may not speak now."""
    return spoken(remote)
