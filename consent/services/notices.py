"""The notice: what a talent reads about a consent before recording, put together from data.

Nothing about a provider is written here: it comes from the capabilities and the `data_use` of its adapter. A change of
the words, or of what the notice says, needs a new NOTICE_VERSION. The hash covers every word that is shown, and the id
of the consent, which is random, so that no part of the notice can be guessed from the hash.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from consent.extension_points import get_provider_label
from consent.models import Consent, Contract, Notice
from consent.services.countries import describe_countries
from consent.services.disclosure import compute_term, describe_copies, describe_disclosure, describe_term
from consent.services.filed_contracts import list_on_file, load_contracts
from consent.services.talent_mails import get_producer_address
from consent.services.voice_comparison import describe_comparison, get_title
from providers import registry
from providers.base import Provider
from providers.types import Capabilities
from voicehub.json_fields import hash_json
from voicehub.roles import ROLES
from voicehub.text import format_date

NOTICE_VERSION = 2
LANGUAGE = "en"
WITHDRAWAL = "withdrawal"
# The page shows this section once for all consents, with the question about it.
COMPARISON = "comparison"
# The sections in a fold, so that the page stays short.
FOLDED = ("deletion", "storage", "rights")
NOT_KNOWN = "not known"
ADMIN_ROLE = "admin"  # it has all permissions (voicehub.roles)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the notice. `key` names its icon."""

    key: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice as it is shown. `content` is what is stored, and `sha256` the hash of its canonical JSON."""

    sections: tuple[Section, ...]
    content: dict[str, Any]
    sha256: str

    @property
    def main_sections(self) -> list[Section]:
        return [section for section in self.sections if section.key not in (*FOLDED, COMPARISON)]

    @property
    def folded_sections(self) -> list[Section]:
        return [section for section in self.sections if section.key in FOLDED]

    def get_section(self, key: str) -> Section:
        return next(section for section in self.sections if section.key == key)


def build_notice(consent: Consent, contracts: Sequence[Contract] | None = None) -> NoticeText:
    """The notice of today. `contracts` are all of the talent, if the caller has loaded them.

    Without a contract on file, it leaves out what only a contract says. Nothing can be recorded then.
    """
    rows = load_contracts(consent) if contracts is None else contracts
    sections = tuple(_iterate_sections(consent, rows))
    content = {
        "consent": str(consent.pk),
        "language": LANGUAGE,
        "version": NOTICE_VERSION,
        "sections": [
            {"key": section.key, "title": section.title, "paragraphs": list(section.paragraphs)} for section in sections
        ],
    }
    return NoticeText(sections, content, hash_json(content))


def store_notice(consent: Consent, notice: NoticeText) -> Notice:
    """Keep what the talent was shown. The same notice is stored once."""
    values = {"version": NOTICE_VERSION, "content": notice.content}
    return Notice.objects.get_or_create(consent=consent, sha256=notice.sha256, defaults=values)[0]


def find_shown_notice(consent: Consent) -> Notice | None:
    """The newest notice that the talent was shown and continued from."""
    return consent.notices.order_by("-created_at").first()


def _iterate_sections(consent: Consent, contracts: Sequence[Contract]) -> Iterator[Section]:
    on_file, label = list_on_file(consent, contracts), get_provider_label(consent.provider)
    yield Section("company", "Who asks", _describe_company(consent))
    yield Section("purpose", "What the voice is for", _describe_uses(consent, on_file))
    yield Section("maker", "Who makes it", _describe_provider(consent, on_file, label))
    if on_file:
        yield Section("place", "Where it may be used", _describe_places(on_file))
        yield Section("term", "For how long", describe_term(compute_term(consent, contracts)))
        yield Section("pay", "What you are paid", _describe_pay(on_file))
    yield Section("listeners", "Who can listen", _describe_listeners(consent, label))
    yield Section(COMPARISON, get_title(), describe_comparison())
    yield Section(WITHDRAWAL, "If you change your mind", _describe_withdrawal(consent, label))
    yield Section("deletion", f"What a deletion does at {label}", tuple(_iterate_deletion(consent, label)))
    yield Section("storage", "Where your data is kept", _describe_storage())
    yield Section("rights", "Your rights", _describe_rights())


def _describe_company(consent: Consent) -> tuple[str, ...]:
    address = settings.VOICEHUB_COMPANY_ADDRESS
    company = f"{consent.company}, {address}" if address else consent.company
    return (_end(company), f"Your contact is {consent.requested_by}, {get_producer_address(consent)}.")


def _describe_uses(consent: Consent, contracts: Sequence[Contract]) -> tuple[str, ...]:
    uses = _join(contract.intended_uses for contract in contracts)
    excluded = _join(contract.excluded_uses for contract in contracts)
    return (
        f"{consent.get_purpose_display()}.",
        *((f"In the words of your contract: {_end(uses)}",) if uses else ()),
        *(
            (f"Not for: {_end(excluded)}" if excluded else "Your contract excludes no use in writing.",)
            if contracts
            else ()
        ),
    )


def _describe_provider(consent: Consent, contracts: Sequence[Contract], label: str) -> tuple[str, ...]:
    recipients = describe_disclosure(consent).recipients
    first = f"{label}, a company that makes synthetic voices. {recipients}"
    provider = _find_provider(consent)
    if provider is None:
        return (first,)
    use = provider.data_use
    answer = {True: "yes", False: "no", None: NOT_KNOWN}[use.may_train]
    where = describe_countries(use.countries) if use.countries else NOT_KNOWN
    return (
        first,
        f"In which country it works: {where}.",
        f"Whether it may train its own models on your voice: {answer}. {_describe_training(contracts)}".strip(),
        f"Source of the last two answers: {use.source} (read on {format_date(date.fromisoformat(use.checked))}).",
    )


def _describe_training(contracts: Sequence[Contract]) -> str:
    """What the contracts say about training, whatever the provider does."""
    if not contracts:
        return ""
    is_allowed = any(contract.training_allowed for contract in contracts)
    return f"Your contract {'allows' if is_allowed else 'does not allow'} it."


def _find_provider(consent: Consent) -> type[Provider] | None:
    return registry.get_provider_class(consent.provider) if consent.provider in registry.PROVIDERS else None


def _describe_places(contracts: Sequence[Contract]) -> tuple[str, ...]:
    countries = [describe_countries(contract.countries) for contract in contracts if contract.countries]
    places = _join(countries) or _join(contract.territory for contract in contracts)
    return (_end(places[:1].upper() + places[1:]) if places else "Your contract names no countries.",)


def _describe_pay(contracts: Sequence[Contract]) -> tuple[str, ...]:
    pay = _join(contract.compensation for contract in contracts)
    return (f"In the words of your contract: {_end(pay)}" if pay else "Your contract names no pay.",)


def _describe_listeners(consent: Consent, label: str) -> tuple[str, ...]:
    leaves_studio = describe_disclosure(consent).leaves_studio
    who = f"{consent.company} and {label}" if leaves_studio else "the studio"
    listeners, reviewers = _list_roles("consent.view_take"), _list_roles("consent.review_consent")
    return (
        f"The recording of the text: only {who} can hear it.",
        f"At the studio, that is who signs in with the role {_join_with_or(listeners)}; after a withdrawal, only "
        f"{_join_with_or(reviewers)}.",
    )


def _list_roles(permission: str) -> list[str]:
    return [*(role for role, permissions in ROLES.items() if permission in permissions), ADMIN_ROLE]


def _join_with_or(roles: Sequence[str]) -> str:
    return " or ".join([", ".join(roles[:-1]), roles[-1]])


def _describe_withdrawal(consent: Consent, label: str) -> tuple[str, ...]:
    return (
        f"You can withdraw your consent at any time, on your private link or by writing to {consent.requested_by} at "
        f"{get_producer_address(consent)}.",
        "From then on no new voice is made with it, and the voices that were made with it are deleted at their "
        "provider. Only a legal hold can delay that.",
        describe_copies(label),
    )


def _iterate_deletion(consent: Consent, label: str) -> Iterator[str]:
    """What can be deleted, for each kind of voice if they differ, and what may stay."""
    provider = _find_provider(consent)
    if provider is None:
        yield "Ask the studio what can be deleted there."
        return
    texts = {tier.label: _describe_deletion(tier, label) for tier in provider.tiers.values()}
    if len(set(texts.values())) == 1:
        yield next(iter(texts.values()))
    else:
        yield from (f"“{name}” voices: {text}" for name, text in texts.items())
    if provider.data_use.deletion_limits:
        yield provider.data_use.deletion_limits


def _describe_deletion(tier: Capabilities, label: str) -> str:
    if tier.can_delete:
        voice = f"VoiceHub deletes the voice at {label} by itself."
    else:
        voice = f"VoiceHub cannot delete the voice at {label} by itself: a person of the studio has it deleted there."
    return f"{voice} It deletes the files that were sent there, too." if tier.can_delete_files else voice


def _describe_storage() -> tuple[str, ...]:
    place = settings.VOICEHUB_DATA_LOCATION
    return (
        f"In {_end(place)}" if place else "Ask your contact in which country it is stored.",
        "The recording of the text is kept as proof of your consent, exactly as you send it, with what was agreed, "
        "also after a withdrawal. No date is set for the end of that. Your other recordings are kept until the studio "
        "deletes them.",
    )


def _describe_rights() -> tuple[str, ...]:
    authority = settings.VOICEHUB_SUPERVISORY_AUTHORITY or "the data protection authority of your country"
    return (
        "You can ask your contact for a copy, a correction or the deletion of your data.",
        f"You can complain to {_end(authority)}",
    )


def _join(texts: Any) -> str:
    """The different texts, each once, without what ends a sentence."""
    cleaned = (" ".join(text.split()).rstrip(".") for text in texts)
    return "; ".join(dict.fromkeys(text for text in cleaned if text))


def _end(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
