"""The notice: what a talent reads about a consent before recording, put together from data.

Nothing about a provider is written here: it comes from the capabilities and the `data_use` of its adapter. A change of
the words, or of what the notice says, needs a new NOTICE_VERSION. The notice is in the active language; in another
language than English, it holds the English words too. The hash covers every word that is shown, and the id of the
consent, which is random, so that no part of the notice can be guessed from the hash.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from consent.extension_points import get_provider_label
from consent.models import Consent, Contract, Notice
from consent.names import HEAR_TAKE
from consent.services.contacts import get_producer_address
from consent.services.countries import describe_countries
from consent.services.disclosure import compute_term, describe_copies, describe_disclosure, describe_term
from consent.services.filed_contracts import list_on_file, load_contracts
from consent.services.voice_comparison import describe_comparison, get_title
from providers import registry
from providers.base import Provider
from providers.types import Capabilities
from voicehub.json_fields import hash_json
from voicehub.roles import ROLES
from voicehub.talent_languages import SOURCE_LANGUAGE, get_talent_language
from voicehub.text import format_date, join_with_or

NOTICE_VERSION = 2
WITHDRAWAL = "withdrawal"
# The private page shows this section once for all consents, with its tick.
COMPARISON = "comparison"
# The sections in a fold, so that the page stays short.
FOLDED = ("deletion", "storage", "rights")
ADMIN_ROLE = "admin"  # it has all permissions (voicehub.roles)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the notice. `key` names its icon."""

    key: str
    title: str
    paragraphs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"key": self.key, "title": self.title, "paragraphs": list(self.paragraphs)}


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice as it is shown. `content` is what is stored, and `sha256` the hash of its canonical JSON.

    `english` has the same sections in English, if `sections` are in another language.
    """

    sections: tuple[Section, ...]
    content: dict[str, Any]
    sha256: str
    english: tuple[Section, ...] = ()

    def get_section(self, key: str) -> Section:
        return next(section for section in self.sections if section.key == key)


def build_notice(consent: Consent, contracts: Sequence[Contract] | None = None) -> NoticeText:
    """The notice of today, in the active language. `contracts` are all of the talent, if the caller has loaded them.

    Without a contract on file, it leaves out what only a contract says. Nothing can be recorded then.
    """
    rows = load_contracts(consent) if contracts is None else contracts
    language, sections = get_talent_language(), tuple(_iterate_sections(consent, rows))
    content = {
        "consent": str(consent.pk),
        "language": language,
        "version": NOTICE_VERSION,
        "sections": [section.as_dict() for section in sections],
    }
    if language == SOURCE_LANGUAGE:
        return NoticeText(sections, content, hash_json(content))
    with translation.override(SOURCE_LANGUAGE):
        english = tuple(_iterate_sections(consent, rows))
    content["english"] = [section.as_dict() for section in english]
    return NoticeText(sections, content, hash_json(content), english)


def store_notice(consent: Consent, notice: NoticeText) -> Notice:
    """Keep what the talent was shown. The same notice is stored once."""
    values = {"version": NOTICE_VERSION, "content": notice.content}
    return Notice.objects.get_or_create(consent=consent, sha256=notice.sha256, defaults=values)[0]


def find_shown_notice(consent: Consent) -> Notice | None:
    """The newest notice that the talent was shown and continued from."""
    return consent.notices.order_by("-created_at").first()


def _iterate_sections(consent: Consent, contracts: Sequence[Contract]) -> Iterator[Section]:
    on_file, label = list_on_file(consent, contracts), get_provider_label(consent.provider)
    yield Section("company", gettext("Who asks"), _describe_company(consent))
    yield Section("purpose", gettext("What the voice is for"), _describe_uses(consent, on_file))
    yield Section("maker", gettext("Who makes it"), _describe_provider(consent, on_file, label))
    if on_file:
        yield Section("place", gettext("Where it may be used"), _describe_places(on_file))
        yield Section("term", gettext("For how long"), describe_term(compute_term(consent, contracts)))
        yield Section("pay", gettext("What you are paid"), _describe_pay(on_file))
    yield Section("listeners", gettext("Who can listen"), _describe_listeners(consent, label))
    yield Section(COMPARISON, get_title(), describe_comparison())
    yield Section(WITHDRAWAL, gettext("If you change your mind"), _describe_withdrawal(consent, label))
    deletion_title = gettext("What a deletion does at {provider}").format(provider=label)
    yield Section("deletion", deletion_title, tuple(_iterate_deletion(consent, label)))
    yield Section("storage", gettext("Where your data is kept"), _describe_storage())
    yield Section("rights", gettext("Your rights"), _describe_rights())


def _describe_company(consent: Consent) -> tuple[str, ...]:
    address = settings.VOICEHUB_COMPANY_ADDRESS
    company = f"{consent.company}, {address}" if address else consent.company
    contact = gettext("Your contact is {name}, {address}.")
    return (end_sentence(company), contact.format(name=consent.requested_by, address=get_producer_address(consent)))


def _describe_uses(consent: Consent, contracts: Sequence[Contract]) -> tuple[str, ...]:
    uses = _join(contract.intended_uses for contract in contracts)
    excluded = _join(contract.excluded_uses for contract in contracts)
    return (
        end_sentence(consent.get_purpose_display()),
        *((_quote_contract(uses),) if uses else ()),
        *((_describe_exclusions(excluded),) if contracts else ()),
    )


def _quote_contract(text: str) -> str:
    return gettext("In the words of your contract: {text}").format(text=end_sentence(text))


def _describe_exclusions(excluded: str) -> str:
    if not excluded:
        return gettext("Your contract excludes no use in writing.")
    return gettext("Not for: {uses}").format(uses=end_sentence(excluded))


def _describe_provider(consent: Consent, contracts: Sequence[Contract], label: str) -> tuple[str, ...]:
    recipients = describe_disclosure(consent).recipients
    maker = gettext("{provider}, a company that makes synthetic voices.").format(provider=label)
    provider = _find_provider(consent)
    if provider is None:
        return (f"{maker} {recipients}",)
    use = provider.data_use
    where = describe_countries(use.countries) if use.countries else gettext("not known")
    source = gettext("Source of the last two answers: {source} (read on {day}).")
    return (
        f"{maker} {recipients}",
        gettext("In which country it works: {countries}.").format(countries=where),
        f"{_describe_training_of_provider(use.may_train)} {_describe_training(contracts)}".strip(),
        source.format(source=use.source, day=format_date(date.fromisoformat(use.checked))),
    )


def _describe_training_of_provider(may_train: bool | None) -> str:
    if may_train is None:
        return gettext("Whether it may train its own models on your voice: not known.")
    if may_train:
        return gettext("Whether it may train its own models on your voice: yes.")
    return gettext("Whether it may train its own models on your voice: no.")


def _describe_training(contracts: Sequence[Contract]) -> str:
    """What the contracts say about training, whatever the provider does."""
    if not contracts:
        return ""
    if any(contract.training_allowed for contract in contracts):
        return gettext("Your contract allows it.")
    return gettext("Your contract does not allow it.")


def _find_provider(consent: Consent) -> type[Provider] | None:
    return registry.get_provider_class(consent.provider) if consent.provider in registry.PROVIDERS else None


def _describe_places(contracts: Sequence[Contract]) -> tuple[str, ...]:
    countries = [describe_countries(contract.countries) for contract in contracts if contract.countries]
    places = _join(countries) or _join(contract.territory for contract in contracts)
    if not places:
        return (gettext("Your contract names no countries."),)
    return (end_sentence(places[:1].upper() + places[1:]),)


def _describe_pay(contracts: Sequence[Contract]) -> tuple[str, ...]:
    pay = _join(contract.compensation for contract in contracts)
    return (_quote_contract(pay) if pay else gettext("Your contract names no pay."),)


def _describe_listeners(consent: Consent, label: str) -> tuple[str, ...]:
    if describe_disclosure(consent).leaves_studio:
        who = gettext("The recording of the text: only {company} and {provider} can hear it.")
    else:
        who = gettext("The recording of the text: only the studio can hear it.")
    roles = gettext(
        "At the studio, that is who signs in with the role {listeners}; after a withdrawal, only {reviewers}."
    )
    return (
        who.format(company=consent.company, provider=label),
        roles.format(listeners=_name_roles(HEAR_TAKE), reviewers=_name_roles("consent.review_consent")),
    )


def _name_roles(permission: str) -> str:
    """The roles that have this permission. Their names are those that staff know."""
    return join_with_or([*(role for role, permissions in ROLES.items() if permission in permissions), ADMIN_ROLE])


def _describe_withdrawal(consent: Consent, label: str) -> tuple[str, ...]:
    way = gettext(
        "You can withdraw your consent at any time, on your private link or by writing to {name} at {address}."
    )
    return (
        way.format(name=consent.requested_by, address=get_producer_address(consent)),
        gettext(
            "From then on no new voice is made with it, and the voices that were made with it are deleted at their "
            "provider. Only a legal hold can delay that."
        ),
        describe_copies(label),
    )


def _iterate_deletion(consent: Consent, label: str) -> Iterator[str]:
    """What can be deleted, for each kind of voice if they differ, and what may stay."""
    provider = _find_provider(consent)
    if provider is None:
        yield gettext("Ask the studio what can be deleted there.")
        return
    texts = {tier.label: _describe_deletion(tier, label) for tier in provider.tiers.values()}
    if len(set(texts.values())) == 1:
        yield next(iter(texts.values()))
    else:
        yield from (gettext("“{kind}” voices: {text}").format(kind=kind, text=text) for kind, text in texts.items())
    if provider.data_use.deletion_limits:
        yield gettext(provider.data_use.deletion_limits)


def _describe_deletion(tier: Capabilities, label: str) -> str:
    if tier.can_delete:
        text = gettext("VoiceHub deletes the voice at {provider} by itself.")
    else:
        text = gettext(
            "VoiceHub cannot delete the voice at {provider} by itself: a person of the studio has it deleted there."
        )
    voice = text.format(provider=label)
    if not tier.can_delete_files:
        return voice
    return f"{voice} {gettext('It deletes the files that were sent there, too.')}"


def _describe_storage() -> tuple[str, ...]:
    place = settings.VOICEHUB_DATA_LOCATION
    return (
        gettext("In {place}").format(place=end_sentence(place))
        if place
        else gettext("Ask your contact in which country it is stored."),
        gettext(
            "The recording of the text is kept as proof of your consent, exactly as you send it, with what was agreed, "
            "also after a withdrawal. No date is set for the end of that. Your other recordings are kept until the "
            "studio deletes them."
        ),
    )


def _describe_rights() -> tuple[str, ...]:
    authority = settings.VOICEHUB_SUPERVISORY_AUTHORITY or gettext("the data protection authority of your country")
    return (
        gettext("You can ask your contact for a copy, a correction or the deletion of your data."),
        gettext("You can complain to {authority}").format(authority=end_sentence(authority)),
    )


def _join(texts: Any) -> str:
    """The different texts, each once, without what ends a sentence."""
    cleaned = (" ".join(text.split()).rstrip(".") for text in texts)
    return "; ".join(dict.fromkeys(text for text in cleaned if text))


def end_sentence(text: str) -> str:
    """The text with a period of the active language, if nothing ends it."""
    return text if text.endswith((".", "!", "?", "。")) else gettext("{sentence}.").format(sentence=text)
