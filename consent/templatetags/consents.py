"""Template filters and tags of this app."""

from typing import Any, NamedTuple

from django import template
from django.forms.boundfield import BoundField, BoundWidget
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, get_language_info, gettext

from consent import device_info, extension_points, labels
from consent.models import Consent, ConsentStatus, Contract, Event, Invitation, Purpose, Question, Take
from consent.models.language_release import RELEASABLE
from consent.names import choose_address
from consent.presenters import make_invitation_badge
from consent.services.countries import describe_countries
from consent.services.disclosure import compute_term, describe_copies, describe_term
from consent.services.questions import list_questions
from consent.services.receipts import describe_capture_to_talent
from consent.services.sittings import list_other_consents
from consent.services.takes import explain_size_limit
from consent.services.talent_languages import list_offered_languages
from consent.take_files import ACCEPTED_FILES, describe_files
from consent.take_report import make_take_report
from consent.talent_statuses import TALENT_LABELS
from voicehub.catalogs import load_script_texts
from voicehub.status_marks import render_mark
from voicehub.talent_languages import SOURCE_LANGUAGE
from voicehub.text import get_language_name
from voicehub.upload_limits import TAKE_BYTES
from voicehub.wave_paths import make_wave_path

TAKE_BARS, TAKE_BARS_HEIGHT = 56, 32

register = template.Library()
JOINED_LENGTH = 20  # characters, in a heading of a window of 320 px
register.filter("take_report", make_take_report)
register.filter("invitation_badge", make_invitation_badge)
register.filter("shown_address", choose_address)
register.filter("actor_name", labels.name_actor)
register.filter("list_other_consents", list_other_consents)


@register.simple_tag
def contract_in_force(contract: Contract) -> SafeString:
    """The state of a contract that is in force, with its end if that is near."""
    return render_mark(*labels.describe_term(contract.ends_on))


@register.filter
def provider_name(slug: str) -> str:
    return extension_points.get_provider_label(slug)


@register.filter
def join_words(name: str) -> str:
    """A name whose words stay on one line, unless it is too long for a phone."""
    return name.replace(" ", "\u00a0") if len(name) <= JOINED_LENGTH else name


@register.filter
def unbroken(text: str) -> SafeString:
    """An address that stays on one line, unless it is longer than a line."""
    return format_html('<span class="unbroken">{}</span>', text)


@register.filter
def provider_names(slugs: list[str]) -> str:
    return ", ".join(extension_points.get_provider_label(slug) for slug in slugs)


@register.filter
def purpose_names(purposes: list[str]) -> str:
    """“All purposes”, or “Advertising, games, film and animation”."""
    if set(purposes) >= set(Purpose.values):
        return "All purposes"
    return capfirst(", ".join(Purpose(purpose).label.lower() for purpose in purposes if purpose in Purpose.values))


@register.filter
def country_names(codes: list[str]) -> str:
    """“Austria and Germany”, or “Worldwide”."""
    names = describe_countries(codes)
    return names[:1].upper() + names[1:]


class CountryChoices(NamedTuple):
    """The checkboxes of a CountriesField: “Worldwide” and the single countries."""

    worldwide: BoundWidget
    countries: list[BoundWidget]
    chosen_count: int
    """How many single countries are selected."""


@register.filter
def country_choices(field: BoundField) -> CountryChoices:
    worldwide, *countries = field
    count = sum(bool(choice.data["selected"]) for choice in countries)
    return CountryChoices(worldwide, countries, count)


@register.filter
def language_name(tag: str) -> str:
    """ "en-US" → "English (US)"."""
    return get_language_name(tag)


@register.filter
def audit_log_entry(event: Event) -> str:
    return labels.describe_event(event)


@register.filter
def captured(take: Take) -> str:
    return labels.describe_capture(take)


@register.filter
def captured_for_talent(take: Take) -> str:
    """How the take was made, addressed to the talent."""
    return describe_capture_to_talent(take)


@register.filter
def status_for_talent(consent: Consent) -> str:
    """The status of the consent, in words for the talent."""
    return str(TALENT_LABELS[ConsentStatus(consent.status)])


@register.filter
def end_for_talent(event: Event) -> str:
    """The decline or the withdrawal that a mail reported, addressed to the talent."""
    return labels.describe_end_to_talent(event)


@register.simple_tag
def take_bars(take: Take) -> str:
    """The waveform of the take: what stands in `d` of its path. take-bars.js draws in the same view box."""
    return make_wave_path(take.peaks, TAKE_BARS, TAKE_BARS_HEIGHT)


@register.filter
def applied_processing(take: Take) -> str:
    return device_info.describe_applied_processing(take)


@register.filter
def absent_processing(take: Take) -> str:
    return device_info.describe_absent_processing(take)


@register.filter
def losses(take: Take) -> str:
    return device_info.describe_losses(take)


@register.simple_tag
def talent_questions(invitation: Invitation) -> list[Question]:
    """The questions that the talent asked about the consents of this link, newest first."""
    return list_questions(invitation)


@register.simple_tag
def cannot_undo(consent: Consent | None) -> str:
    """What a withdrawal cannot undo."""
    return describe_copies(extension_points.get_provider_label(consent.provider) if consent else gettext("a provider"))


@register.simple_tag
def consent_term(consent: Consent) -> str:
    """How long the consent is valid, addressed to the talent."""
    return " ".join(describe_term(compute_term(consent)))


@register.inclusion_tag("consent/_take_file_form.html")
def take_file_form(consent: Consent, url: str, button: str, problem: str = "") -> dict[str, Any]:
    """The form for a file with the statement. `problem` stands beside its field."""
    return {
        "consent": consent,
        "url": url,
        "button": button,
        "problem": problem,
        "accept": ACCEPTED_FILES,
        "hint": describe_files(),
        "max_bytes": TAKE_BYTES,
        "too_large": explain_size_limit(),
    }


@register.inclusion_tag("consent/_statement_text.html")
def statement_text(text: str, language: str) -> dict[str, str]:
    """The statement text with a `lang` attribute."""
    return {"text": text, "language": language}


@register.simple_tag
def offered_languages() -> list[tuple[str, str]]:
    """The languages in which a talent can read the pages: code, and name in the language itself."""
    return [(language, get_language_info(language)["name_local"]) for language in list_offered_languages()]


@register.simple_tag
def talent_languages() -> list[tuple[str, str]]:
    """The languages that an admin can release: code and English name."""
    return RELEASABLE


@register.simple_tag
def script_texts() -> SafeString | str:
    """The texts of the scripts in the language of the page, for static/js/translate.js. Nothing in English."""
    texts = load_script_texts(get_language() or SOURCE_LANGUAGE)
    return json_script(texts, "script-texts") if texts else ""
