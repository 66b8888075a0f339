"""What a consent that is not in force waits for: one rule for all lists, and for the next steps of Today."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, TextChoices, Value, When
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Invitation, Take
from consent.services.filed_contracts import is_on_file, list_on_file


class Blocker(TextChoices):
    """What a request waits for. The first ones need staff."""

    REVIEW = "review", "To review"
    CONTRACT = "contract", "No contract"
    SEND = "send", "Not sent"
    OVER = "over", "Time over"
    TALENT = "talent", "Waiting for talent"


def query_newest_link() -> QuerySet[Invitation]:
    """The newest link to a consent that was not revoked, for a subquery."""
    sent = Q(channel=Invitation.Channel.COPIED) | Q(sent_at__isnull=False)
    return Invitation.objects.filter(sent, consents=OuterRef("pk"), revoked_at=None).order_by("-created_at")


def has_usable_take() -> Exists:
    return Exists(Take.objects.filter(consent=OuterRef("pk"), acceptable=True))


def has_newer_request() -> Exists:
    """Whether the same was asked of the talent again."""
    newer = Consent.objects.filter(
        talent=OuterRef("talent"),
        provider=OuterRef("provider"),
        purpose=OuterRef("purpose"),
        created_at__gt=OuterRef("created_at"),
    )
    return Exists(newer)


def find_blocker() -> Case:
    """By status, contract and link. Empty for a consent that waits for nothing of these."""
    return _find_blocker([When(~Q(is_on_file()), then=Value(Blocker.CONTRACT))])


def find_blocker_without_contract() -> Case:
    """The same for code that has loaded all contracts: it calls `add_contract_blockers`, which is much faster."""
    return _find_blocker([])


def add_contract_blockers(consents: Iterable[Consent], contracts: Mapping[UUID, Sequence[Contract]]) -> None:
    """Correct the `blocker` of each request that no contract on file allows. `contracts` are all of each talent."""
    for consent in consents:
        is_open = consent.status == ConsentStatus.REQUESTED
        if is_open and not list_on_file(consent, contracts.get(consent.talent_id, ())):
            consent.blocker = Blocker.CONTRACT  # type: ignore[attr-defined]  # annotated


def _find_blocker(first: Sequence[When]) -> Case:
    last_day = Subquery(query_newest_link().values("expires_at")[:1])
    requested = Case(
        *first,
        When(~Q(Exists(query_newest_link())), then=Value(Blocker.SEND)),
        When(Q(LessThanOrEqual(last_day, timezone.now())) & ~Q(has_usable_take()), then=Value(Blocker.OVER)),
        default=Value(Blocker.TALENT),
        output_field=CharField(),
    )
    return Case(
        When(status=ConsentStatus.SUBMITTED, then=Value(Blocker.REVIEW)),
        When(status=ConsentStatus.REQUESTED, then=requested),
        When(~Q(has_newer_request()), status=ConsentStatus.EXPIRED, then=Value(Blocker.OVER)),
        default=Value(""),
        output_field=CharField(),
    )
