"""Build options of a voice: per account and tier, what is missing and which recordings would be sent."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from consent.forms import newest_statements
from consent.models import Consent
from providers import registry
from providers.types import Handover, Limit
from voicehub.text import clock, some
from voices.models import Account, RemoteVoice, Voice
from voices.models.choices import HANDOVER_LABELS
from voices.models.limits import all_limits
from voices.presenters import MENDED_BY
from voices.services.builds import selection
from voices.services.builds.readiness import CHOOSING, Lacks, Readiness, all_readiness
from voices.services.builds.selection import Row, Sending, falls_short, rows_of

MOST_NAMED = 50
CONSENT = "the consent"
# Obstacles that are not missing items.
TROUBLES = {
    Lacks.LENGTH: "some recordings are too short or too long",
    Lacks.SHORTER_TRANSCRIPTS: "some transcripts are too long",
    Lacks.LANGUAGE: "the provider does not support this language",
}


class Link(NamedTuple):
    """A missing item or advice, with the link that fixes it and the permission for the link."""

    text: str
    url: str
    link: str
    permission: str = ""


class LeftOut(NamedTuple):
    name: str
    why: str


class Rank(IntEnum):
    """The order of the rows."""

    READY = 0
    GOING = 1
    LACKING = 2
    PAUSED = 3


@dataclass(frozen=True)
class BuildOption:
    """One account and tier on the voice's page.

    `newest_consent` is the newest request for this provider, `consent_url` the page to request another.
    `refused_handovers` are those that the existing remote voice no longer accepts.
    """

    account: Account
    readiness: Readiness
    asked: Consent | None
    ask_url: str
    rows: Sequence[Row]
    limits: Mapping[str, Limit]
    refused: frozenset[Handover] = frozenset()

    @property
    def key(self) -> str:
        """The suffix of the row's element ids."""
        return f"{self.account.pk}-{self.readiness.capabilities.tier}"

    @property
    def name(self) -> str:
        """The provider, with the tier if it has several."""
        provider = registry.provider_class(self.account.provider)
        has_one_tier = len(provider.tiers) == 1
        return provider.label if has_one_tier else f"{provider.label}, {self.readiness.capabilities.label.lower()}"

    @property
    def rank(self) -> Rank:
        if self.account.paused_at:
            return Rank.PAUSED
        if self.readiness.active_build:
            return Rank.GOING
        return Rank.READY if self.ready else Rank.LACKING

    @property
    def ready(self) -> bool:
        return self.readiness.ready and not self.short and bool(self.ways) and not self.account.paused_at

    @property
    def weight(self) -> tuple[int, int]:
        """Options with the fewest obstacles come first."""
        gate = self.readiness.permission.reasons
        return self.rank, len(gate) + len(self.readiness.lacks) + bool(self.short)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """The handovers that are possible now, as (value, label), in the provider's order."""
        possible = [way for way, lacks in self.readiness.ways.items() if not lacks and way not in self.refused]
        return [(str(way), HANDOVER_LABELS[way]) for way in possible]

    @cached_property
    def sending(self) -> Sending:
        """What the first possible handover would send; if items are missing, what it would send so far."""
        return selection.sending(self.rows, self.readiness.capabilities, self.limits, self.readiness.way)

    @property
    def chooses(self) -> bool:
        """Whether only the best recordings are sent."""
        return self.readiness.way in CHOOSING

    @property
    def short(self) -> str:
        """Why the selected recordings are not enough, although the voice has enough."""
        return "" if self.readiness.lacks else falls_short(self.sending, self.limits)

    @property
    def sentence(self) -> str:
        """The state in a few words, to be read after the name."""
        if self.account.paused_at:
            reason = self.account.pause_reason
            return reason if reason.startswith("Paused") else f"paused. {reason}".strip()
        if self.readiness.active_build:
            return "a build is in progress."
        return f"ready. {self.sent_words}" if self.ready else f"{self._in_the_way()}."

    @property
    def sent_words(self) -> str:
        """“One file of 41 s will be sent, made of these 4 recordings.”"""
        count, left_out = len(self.sending.rows), self.sending.left_out
        recordings = f"the best {count} of {count + left_out} recordings" if left_out else these(count)
        if self.sending.one_file:
            return f"One file of {spoken(self.sending.seconds)} will be sent, made of {recordings}."
        return f"{recordings[0].upper()}{recordings[1:]} will be sent, {spoken(self.sending.seconds)} of speech."

    def _in_the_way(self) -> str:
        kinds = {lack.kind for lack in self.readiness.lacks}
        missing = [*self._missing(), *["transcripts"] * (Lacks.TRANSCRIPTS in kinds)]
        parts = [f"{listed(missing)} missing"] if missing else []
        parts += [text for kind, text in TROUBLES.items() if kind in kinds]
        parts += ["too few of the recordings can be sent"] * bool(self.short)
        if parts == [f"{CONSENT} missing"]:
            return "only the consent is missing"
        return "; ".join(parts) or "the recordings cannot be sent to this provider"

    def _missing(self) -> Iterable[str]:
        state = self.readiness
        if state.permission.consent_reasons:
            yield CONSENT
        if state.permission.contract_reasons:
            yield "the contract"
        if state.count < state.needed_count:
            yield some(state.needed_count - state.count, "recording", "recordings")
        if state.seconds < state.needed_seconds:
            yield f"{clock(state.needed_seconds - self.whole_seconds)} minutes"

    @property
    def badge(self) -> tuple[str, str]:
        """The severity and label of the row's state."""
        return {
            Rank.READY: ("good", "Ready to build"),
            Rank.GOING: ("busy", "In progress"),
            Rank.LACKING: ("wait", "Not ready"),
            Rank.PAUSED: ("over", "Paused"),
        }[self.rank]

    @property
    def cost(self) -> str:
        tier = self.readiness.capabilities
        return f"{tier.credits:,} credits on success" if tier.credits else tier.cost

    @property
    def only_consent(self) -> bool:
        """Whether only the consent is missing and no request for it exists."""
        gate = self.readiness.permission
        others = gate.contract_reasons or self.readiness.lacks or self.short or self.rank is not Rank.LACKING
        return bool(gate.consent_reasons) and not others and self.asked is None

    @property
    def count_met(self) -> bool:
        return self.readiness.count >= self.readiness.needed_count

    @property
    def whole_seconds(self) -> int:
        """Rounded down, so that this and the missing seconds add up to the needed seconds."""
        return math.floor(self.readiness.seconds)

    @property
    def seconds_met(self) -> bool:
        return self.readiness.seconds >= self.readiness.needed_seconds

    @property
    def lacks(self) -> list[Link]:
        found = [Link(lack.text, *MENDED_BY[lack.kind]) for lack in self.readiness.lacks]
        return [*found, Link(self.short, "?show=look#recordings", "Show recordings")] if self.short else found

    @property
    def advice(self) -> list[Link]:
        found = [Link(advice.text, *MENDED_BY[advice.kind]) for advice in self.readiness.advice]
        if error := self.account.last_error:
            text = f"The last call with this account failed: {error}"
            found.append(Link(text, reverse("voices:account_list"), "Accounts", "voices.view_account"))
        return found

    @property
    def sent(self) -> list[Row]:
        return list(self.sending.rows[:MOST_NAMED])

    @property
    def more_sent(self) -> int:
        return max(0, len(self.sending.rows) - MOST_NAMED)

    @property
    def left_out(self) -> list[LeftOut]:
        chosen = {row.id for row in self.sending.rows}
        others = (row for row in self.rows if row.id not in chosen)
        return [LeftOut(row.name, self._why_not(row)) for row in islice(others, MOST_NAMED)]

    @property
    def more_left_out(self) -> int:
        return max(0, self.sending.left_out - MOST_NAMED)

    def _why_not(self, row: Row) -> str:
        short, long = self.limits.get("shortest_clip"), self.limits.get("longest_clip")
        if short and row.seconds < short.value:
            return "too short for this provider"
        if long and row.seconds > long.value:
            return "too long for this provider"
        return "the limit is reached with better recordings" if row.quality > 0 else "no speech detected"


def places(voice: Voice) -> list[BuildOption]:
    """Every account and tier, ready ones first. The number of queries does not grow with them."""
    newest_consents = {
        consent.provider: consent
        for consent in Consent.objects.filter(talent=voice.talent_id, purpose=voice.purpose).order_by("created_at")
    }
    states, rows, limits = all_readiness(voice), rows_of(voice), all_limits()
    statements, dataset_tiers = list(newest_statements()), _given_datasets(voice)
    found = [
        BuildOption(
            account,
            state,
            newest_consents.get(account.provider),
            ask_url(voice, account.provider, statements),
            rows,
            limits[account.provider, state.capabilities.tier],
            _refused((account.pk, str(state.capabilities.tier)) in dataset_tiers),
        )
        for account, state in states
    ]
    return sorted(found, key=lambda option: option.weight)


def _refused(given_a_dataset: bool) -> frozenset[Handover]:
    return frozenset({Handover.RECORDINGS} if given_a_dataset else ())


def _given_datasets(voice: Voice) -> set[tuple[UUID, str]]:
    """The accounts and tiers whose provider has a dataset of this voice. They then train on datasets only."""
    in_use = RemoteVoice.objects.filter(voice=voice, retired_at=None).exclude(remote_id="")
    return set(in_use.filter(builds__handover=Handover.DATASET_URL).values_list("account_id", "tier"))


def ask_url(voice: Voice, provider: str, statements: Iterable[str]) -> str:
    """The page to request consent for this provider, with the statement in the voice's language if there is one."""
    language = voice.language.partition("-")[0]
    of_provider = [key for key in statements if key.startswith(f"{provider}:")]
    # First the same locale, then the same language, then any.
    of_provider.sort(key=lambda key: (key != f"{provider}:{voice.language}", f":{language}" not in key))
    query = QueryDict(mutable=True)
    query["purpose"] = voice.purpose
    if of_provider:
        query["statement"] = of_provider[0]
    return f"{reverse('consent:consent_ask', args=[voice.talent_id])}?{query.urlencode()}"


def spoken(seconds: float) -> str:
    """“41 s”, “9:12 minutes”."""
    return f"{round(seconds)} s" if seconds < 59.5 else f"{clock(seconds)} minutes"


def these(count: int) -> str:
    return "this one recording" if count == 1 else f"these {count} recordings"


def listed(parts: Sequence[str]) -> str:
    """“a, b and c”."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
