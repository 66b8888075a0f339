"""What the pages of this app say about its rows."""

from django import template

from consent import extension_points, labels
from consent.models import Consent, Event, Purpose, Take
from consent.presenters import make_invitation_badge
from consent.services.disclosure import Term, compute_term, describe_disclosure
from consent.take_report import make_take_report

register = template.Library()
register.filter("heard", make_take_report)
register.filter("invitation_badge", make_invitation_badge)


@register.filter
def provider_name(slug: str) -> str:
    """The provider's own name."""
    return extension_points.get_provider_label(slug)


@register.filter
def provider_names(slugs: list[str]) -> str:
    return ", ".join(extension_points.get_provider_label(slug) for slug in slugs)


@register.filter
def purpose_names(purposes: list[str]) -> str:
    return ", ".join(Purpose(purpose).label for purpose in purposes if purpose in Purpose.values)


@register.filter
def language_name(tag: str) -> str:
    """ "en-US" → "English (US)"."""
    return labels.get_language_name(tag)


@register.filter
def history_line(event: Event) -> str:
    """A line of the history as a sentence."""
    return labels.describe_event(event)


@register.filter
def captured(take: Take) -> str:
    """How the take was made."""
    return labels.describe_capture(take)


@register.filter
def captured_for_talent(take: Take) -> str:
    """How the take was made, said to the talent."""
    return labels.describe_capture_to_talent(take)


@register.filter
def processing(take: Take) -> str:
    """What the browser did to the sound, where it said."""
    return labels.describe_processing(take)


@register.filter
def recipients(consent: Consent) -> str:
    """What the provider is given, said to the talent."""
    return describe_disclosure(consent).recipients


@register.inclusion_tag("public/_validity.html")
def consent_term(consent: Consent) -> dict[str, Term]:
    """For how long it holds, said to the talent."""
    return {"term": compute_term(consent)}


@register.inclusion_tag("consent/_statement_text.html")
def statement_text(text: str, language: str) -> dict[str, str]:
    """The words to read, marked as being in their language."""
    return {"text": text, "language": language}
