"""The search over people, voices, recordings with their transcripts, builds, consents and voices at providers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Q, QuerySet, Value, When

from consent.models import Consent, Talent
from consent.names import VIEW_CONTACTS, VIEW_NAMES
from providers import registry
from voicehub.folding import fold
from voicehub.models import User
from voices import access
from voices.models import Build, RemoteVoice, Voice
from voices.services.builds.changes import annotate_numbers

MIN_CHARACTERS = 2
MAX_CHARACTERS = 200
MAX_WORDS = 10
NAMES_OF_TALENT = ("talent__name", "talent__short_name")


@dataclass(frozen=True, slots=True)
class SearchWord:
    """A word as typed, and without case and accents."""

    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class SearchKind:
    """One group of results: who may see it, and the fields that are searched: each word must be in one of them.

    Rows whose `name_field` begins with the first word come first. `provider_field` has the slug of a provider, which
    is found by the provider's name. Of `long_fields` there are too many to take the accents off: 20,000 transcripts
    would take seconds. `private_fields` are searched only for users with their permission, and `private_name_field`
    is then in place of `name_field`.
    """

    key: str
    permission: str
    query_rows: Callable[[User], QuerySet[Any]]
    fields: tuple[str, ...]
    order: tuple[str, ...]
    name_field: str = ""
    provider_field: str = ""
    long_fields: tuple[str, ...] = ()
    private_fields: Mapping[str, str] = field(default_factory=dict)
    private_name_field: str = ""

    def list_fields(self, user: User) -> list[str]:
        return [*self.fields, *(name for name, permission in self.private_fields.items() if user.has_perm(permission))]

    def find_name_field(self, user: User) -> str:
        is_private = user.has_perm(self.private_fields.get(self.private_name_field, ""))
        return self.private_name_field if self.private_name_field and is_private else self.name_field


def _query_talents(_user: User) -> QuerySet[Talent]:
    return Talent.objects.only("name", "short_name", "email")


def _query_voices(_user: User) -> QuerySet[Voice]:
    return Voice.objects.select_related("talent").only(
        "name", "language", "purpose", "talent__name", "talent__short_name"
    )


def _query_recordings(user: User) -> QuerySet[Any]:
    rows = access.query_open_recordings(user).select_related("voice")
    return rows.only("file_name", "transcript", "seconds", "quality", "voice__name")


def _query_builds(_user: User) -> QuerySet[Build]:
    rows = annotate_numbers(Build.objects.select_related("voice__talent", "remote_voice__account"))
    account = ("remote_voice__tier", "remote_voice__account__name", "remote_voice__account__provider")
    return rows.only(
        "status", "created_at", "voice__name", "voice__talent__name", "voice__talent__short_name", *account
    )


def _query_consents(_user: User) -> QuerySet[Consent]:
    return Consent.objects.select_related("talent").only(
        "provider", "purpose", "status", "talent_name", *NAMES_OF_TALENT
    )


def _query_remote_voices(_user: User) -> QuerySet[RemoteVoice]:
    rows = RemoteVoice.objects.select_related("voice", "account")
    return rows.only("name", "reference", "remote_id", "voice__name", "account__name", "account__provider")


KINDS = (
    SearchKind(
        "people", "consent.view_talent", _query_talents, ("short_name",), ("short_name", "pk"), "short_name",
        private_fields={"name": VIEW_NAMES, "email": VIEW_CONTACTS}, private_name_field="name",
    ),
    SearchKind(
        "voices", "voices.view_voice", _query_voices, ("name", "talent__short_name"), ("name", "pk"), "name",
        private_fields={"talent__name": VIEW_NAMES},
    ),
    SearchKind(
        "recordings", "voices.view_recording", _query_recordings, (), ("voice__name", "voice", "file_name", "pk"),
        long_fields=("transcript", "file_name"),
    ),
    SearchKind(
        "builds", "voices.view_build", _query_builds,
        ("voice__name", "voice__talent__short_name", "remote_voice__account__name"), ("-created_at", "pk"),
        provider_field="remote_voice__account__provider", private_fields={"voice__talent__name": VIEW_NAMES},
    ),
    SearchKind(
        "consents", "consent.view_consent", _query_consents, ("talent__short_name",), ("-created_at", "pk"),
        provider_field="provider", private_fields={"talent__name": VIEW_NAMES, "talent_name": VIEW_NAMES},
    ),
    SearchKind(
        "remote_voices", "voices.view_remotevoice", _query_remote_voices, ("name", "reference", "remote_id"),
        ("-created_at", "pk"), "name",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A page of the rows of one group, and the number of all rows that match."""

    kind: SearchKind
    page: Page[Any]

    @property
    def count(self) -> int:
        return self.page.paginator.count


def split_words(text: str) -> list[SearchWord]:
    """The words to search for. Empty if the text is too short for a search."""
    words = {fold(word).strip(): word for word in text.replace("\x00", " ")[:MAX_CHARACTERS].split()}
    found = [SearchWord(word, folded) for folded, word in words.items() if folded]
    is_long_enough = sum(len(word.folded) for word in found) >= MIN_CHARACTERS
    return found[:MAX_WORDS] if is_long_enough else []


def search(user: User, words: Sequence[SearchWord], size: int, key: str = "", number: str = "") -> list[FoundRows]:
    """The groups that the user may see and that have a match. `key` names one group, and `number` its page."""
    kinds = [kind for kind in list_kinds(user) if key in ("", kind.key)] if words else []
    found = [FoundRows(kind, Paginator(_query_matches(kind, user, words), size).get_page(number)) for kind in kinds]
    return [group for group in found if group.count]


def list_kinds(user: User) -> list[SearchKind]:
    return [kind for kind in KINDS if user.has_perm(kind.permission)]


def _query_matches(kind: SearchKind, user: User, words: Sequence[SearchWord]) -> QuerySet[Any]:
    rows = kind.query_rows(user).filter(reduce(and_, (_match_word(kind, user, word) for word in words)))
    name_field = kind.find_name_field(user)
    if not name_field:
        return rows.order_by(*kind.order)
    begins = When(**{f"{name_field}__fold__startswith": words[0].folded}, then=Value(0))
    return rows.order_by(
        Case(begins, default=Value(1)), *(name_field if name == kind.name_field else name for name in kind.order)
    )


def _match_word(kind: SearchKind, user: User, word: SearchWord) -> Q:
    conditions = [Q(**{f"{name}__fold__contains": word.folded}) for name in kind.list_fields(user)]
    exact_fields = kind.long_fields if word.text.isascii() else (*kind.list_fields(user), *kind.long_fields)
    conditions += [Q(**{f"{name}__icontains": text}) for name in exact_fields for text in _list_spellings(word.text)]
    if kind.provider_field:
        conditions.append(Q(**{f"{kind.provider_field}__in": _list_providers(word)}))
    return reduce(or_, conditions)


def _list_spellings(word: str) -> list[str]:
    """The word, and with letters that SQLite, and PostgreSQL in the locale C, take for others in another case."""
    return [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.capitalize()})


def _list_providers(word: SearchWord) -> list[str]:
    """The providers in whose name a word begins with this one."""
    labels = {slug: fold(provider.label) for slug, provider in registry.PROVIDERS.items()}
    return [slug for slug, label in labels.items() if f" {label}".find(f" {word.folded}") >= 0]
