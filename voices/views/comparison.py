"""What the pages of a comparison show: its builds, the sentences that they speak, and the votes of the person."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from consent.access import get_user
from voicehub.models import User
from voicehub.tokens import hash_token
from voices import access
from voices.build_results.facts import LETTERS
from voices.models import BlindVote, Build, BuildStatus, Preview, PreviewStatus
from voices.models.build import ACTIVE_STATUSES
from voices.presenters import build_name
from voices.row_polls import RowState
from voices.services.blind_listening import Sentence, Tally, add_up, count_votes, load_own_votes, load_sentences
from voices.services.builds.changes import number_builds
from voices.services.builds.comparison import MOST_BUILDS
from voices.services.builds.recheck import VoiceStates, check_built_voices
from voices.services.remote_state import find_outdated_builds

PENDING_STATUSES = (PreviewStatus.QUEUED, PreviewStatus.GENERATING)
MAX_OTHERS = 20
LISTEN = "voices.view_remotevoice"
Spoken = tuple[str, Build, Preview | None, int]
"""The letter of a build, the build, its preview of a sentence, and the votes for it."""


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """A sentence on the page. Its names are hidden from a person who can still vote on it."""

    sentence: Sentence
    key: str
    sides: Sequence[Spoken]
    is_hidden: bool
    vote: BlindVote | None
    tally: Tally

    @property
    def shown_sides(self) -> Sequence[Spoken]:
        """Builds that the row names: of a hidden row, those without a sample; of a silent one, those with a request."""
        if self.is_silent:
            return [one for one in self.sides if one[2]]
        return [one for one in self.sides if not (self.is_hidden and one[2] in self.sentence.samples)]

    @property
    def is_silent(self) -> bool:
        """Whether no build has a sample of the sentence."""
        return not self.sentence.samples


@dataclass(frozen=True)
class Comparison:
    """Builds side by side, as one user may see them."""

    builds: tuple[Build, ...]
    user: User

    @property
    def sides(self) -> list[tuple[str, Build]]:
        return list(zip(LETTERS, self.builds, strict=False))

    @cached_property
    def kinds(self) -> Sequence[str]:
        """The providers and tiers of the builds, each once."""
        return list(dict.fromkeys(map(build_name, self.builds)))

    @cached_property
    def names(self) -> Mapping[uuid.UUID, str]:
        """What a list calls each build: “Build 5”, and where it was made if that differs."""
        numbered = zip(self.builds, number_builds(self.builds), strict=True)
        is_same = len(self.kinds) == 1
        return {one.pk: f"Build {number}" + ("" if is_same else f", {build_name(one)}") for one, number in numbered}

    @property
    def query(self) -> str:
        """The query string that names the builds in a URL."""
        return make_query(self.builds)

    @property
    def url(self) -> str:
        return make_compare_url(self.builds)

    @cached_property
    def voice_states(self) -> VoiceStates:
        return check_built_voices(self.builds)

    @cached_property
    def held(self) -> frozenset[uuid.UUID]:
        """The remote voices that cannot be played while their consent or contract is suspended."""
        return frozenset(self.voice_states.held)

    @cached_property
    def closed(self) -> frozenset[uuid.UUID]:
        """The remote voices that are closed to this user after a withdrawal."""
        remotes = [build.remote_voice for build in self.builds]
        return frozenset(remote.pk for remote in remotes if access.are_previews_closed(remote, self.user))

    @cached_property
    def speaking(self) -> frozenset[uuid.UUID]:
        """The ids of the builds that may speak another sample: those that no later training has replaced."""
        outdated, locked = find_outdated_builds(self.builds), self.held | self.closed
        return frozenset(
            one.pk
            for one in self.builds
            if one.status == BuildStatus.READY and one.pk not in outdated and one.remote_voice_id not in locked
        )

    @cached_property
    def sentences(self) -> list[Sentence]:
        return load_sentences(self.builds)

    @cached_property
    def votes(self) -> Mapping[str, BlindVote]:
        return load_own_votes(self.sentences, self.user)

    @cached_property
    def questions(self) -> list[Sentence]:
        """The sentences that this user can hear by two builds or more, or has voted on."""
        comparable = (sentence for sentence in self.sentences if sentence.is_comparable)
        return [one for one in comparable if self.can_play(one) or one.question in self.votes]

    @cached_property
    def tallies(self) -> Mapping[str, Tally]:
        """The votes of all people on the sentences that this user has answered: others would sway them."""
        return count_votes(self.votes)

    @property
    def total(self) -> Tally:
        return add_up(self.tallies.values())

    def can_play(self, sentence: Sentence) -> bool:
        return not any(one.remote_voice_id in self.held | self.closed for one in sentence.samples)

    def can_vote(self, sentence: Sentence) -> bool:
        return sentence.is_comparable and self.can_play(sentence) and sentence.question not in self.votes

    @cached_property
    def rows(self) -> list[SentenceRow]:
        return [self._make_row(sentence) for sentence in self.sentences]

    def _make_row(self, sentence: Sentence) -> SentenceRow:
        question = sentence.question if sentence.is_comparable else ""
        tally = self.tallies.get(question, Tally())
        sides = [
            (letter, build, preview, tally.by_build.get(build.pk, 0))
            for (letter, build), preview in zip(self.sides, sentence.previews, strict=True)
        ]
        key, is_hidden = hash_token(sentence.text)[:12], self.user.has_perm(LISTEN) and self.can_vote(sentence)
        return SentenceRow(sentence, key, sides, is_hidden, self.votes.get(question), tally)

    @property
    def row_states(self) -> list[RowState[SentenceRow]]:
        """What a poll compares."""
        locked = self.held | self.closed
        return [
            RowState(row, row.key, ([(one.pk, one.status) for one in row.sentence.requested], row.is_hidden, locked))
            for row in self.rows
        ]

    @property
    def is_generating(self) -> bool:
        return any(one.status in PENDING_STATUSES for sentence in self.sentences for one in sentence.requested)

    @property
    def can_add(self) -> bool:
        return len(self.builds) < MOST_BUILDS

    def list_additions(self) -> Iterator[tuple[Build, str]]:
        """Other finished builds of the voice, newest first, each with the address that adds it."""
        voice = self.builds[0].voice
        others: QuerySet[Build] = access.query_builds().filter(voice=voice).exclude(status__in=ACTIVE_STATUSES)
        for build in others.exclude(pk__in=[one.pk for one in self.builds])[:MAX_OTHERS]:
            yield build, make_compare_url([*self.builds, build])

    def make_url_without(self, build: Build) -> str:
        return make_compare_url([one for one in self.builds if one.pk != build.pk])


def make_query(builds: Sequence[Build]) -> str:
    query = QueryDict(mutable=True)
    query.setlist("build", [str(build.pk) for build in builds])
    return query.urlencode()


def make_compare_url(builds: Sequence[Build]) -> str:
    return f"{reverse('voices:compare')}?{make_query(builds)}"


def load_comparison(request: HttpRequest) -> Comparison:
    """The builds that the address names, in its order. Raises Http404 if it names none, or one that does not exist."""
    try:
        ids = list(dict.fromkeys(uuid.UUID(value) for value in request.GET.getlist("build")))
    except ValueError:
        raise Http404 from None
    if not ids:
        raise Http404
    found = {build.pk: build for build in access.query_builds().filter(pk__in=ids[: MOST_BUILDS + 1])}
    if not all(pk in found for pk in ids[: MOST_BUILDS + 1]):
        raise Http404
    return Comparison(tuple(found[pk] for pk in ids[: MOST_BUILDS + 1]), get_user(request))
