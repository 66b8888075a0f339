"""Blind listening: a person hears previews of one text without the names of their builds, and says which is better.

The order is shuffled for each person and text, and the server alone knows it. The answer shows the names, so each
person answers once for each text and set of builds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.crypto import salted_hmac

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.tokens import hash_token
from voices.models import BlindVote, Build, Preview, PreviewStatus, VoteChoice
from voices.services.previews import PLAYABLE_TYPES

MAX_SENTENCES = 20
FEWEST_SAMPLES = 2
KEY_LENGTH = 32
CANNOT_PLAY = "This sentence cannot be played at the moment. Choose another one."


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, with the newest preview of it by each build, in the order of the builds. None if a build has none."""

    text: str
    builds: tuple[Build, ...]
    previews: tuple[Preview | None, ...]

    @property
    def requested(self) -> list[Preview]:
        return [preview for preview in self.previews if preview]

    @property
    def samples(self) -> list[Preview]:
        """The previews with audio that a browser can play."""
        ready = (preview for preview in self.requested if preview.status == PreviewStatus.READY and preview.file)
        return [preview for preview in ready if preview.content_type in PLAYABLE_TYPES]

    @property
    def is_comparable(self) -> bool:
        return len(self.samples) >= FEWEST_SAMPLES

    @property
    def question(self) -> str:
        """Names the text and the builds that speak it. It does not say which sample is by which build."""
        builds = sorted(str(preview.build_id) for preview in self.samples)
        return hash_token("\n".join([*builds, self.text]))[:KEY_LENGTH]

    def shuffle_samples(self, listener: User) -> list[Preview]:
        """The samples in the order in which this person hears them, which is always the same."""

        def draw(preview: Preview) -> bytes:
            value = f"{listener.pk}:{self.question}:{preview.build_id}"
            return salted_hmac("voices.blind_listening", value, algorithm="sha256").digest()

        return sorted(self.samples, key=draw)


def load_sentences(builds: Sequence[Build]) -> list[Sentence]:
    """The texts with a preview by one of these builds. Those with the most samples come first, then the newest."""
    by_text: dict[str, dict[UUID | None, Preview]] = {}
    for preview in Preview.objects.filter(build__in=builds).order_by("-created_at", "pk"):
        by_text.setdefault(preview.text, {}).setdefault(preview.build_id, preview)
    sentences = [
        Sentence(text, tuple(builds), tuple(by_build.get(build.pk) for build in builds))
        for text, by_build in by_text.items()
    ]
    return sorted(sentences, key=lambda sentence: -len(sentence.samples))[:MAX_SENTENCES]


def find_sentence(sentences: Iterable[Sentence], question: str) -> Sentence | None:
    return next((one for one in sentences if one.is_comparable and one.question == question), None)


def load_own_votes(sentences: Iterable[Sentence], voter: User) -> dict[str, BlindVote]:
    """The votes of this person, by question."""
    questions = [sentence.question for sentence in sentences if sentence.is_comparable]
    votes = BlindVote.objects.filter(voter=voter, question__in=questions).select_related("chosen")
    return {vote.question: vote for vote in votes}


def cast_vote(sentence: Sentence, voter: User, choice: str, number: int = 0) -> BlindVote:
    """Store the answer of this person. `number` is that of the better sample, from 1, in their order of playback.

    Raises ActionRefused if they have answered, because they have seen the names since.
    """
    samples = sentence.shuffle_samples(voter)
    if choice not in VoteChoice.values or (choice == VoteChoice.SAMPLE and not 0 < number <= len(samples)):
        raise ActionRefused("Choose one of the samples, or say that there is no difference.")
    chosen = samples[number - 1] if choice == VoteChoice.SAMPLE else None
    try:
        with transaction.atomic():
            vote = BlindVote.objects.create(question=sentence.question, voter=voter, choice=choice, chosen=chosen)
            vote.previews.set(samples)
    except IntegrityError:
        raise ActionRefused("You have voted on this sentence. The names were shown, so the vote stays.") from None
    return vote


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes on one sentence or more: how many each build got, by id, and how many chose “no difference”."""

    by_build: Mapping[UUID, int] = field(default_factory=dict)
    same: int = 0

    @property
    def total(self) -> int:
        return sum(self.by_build.values()) + self.same


def count_votes(questions: Iterable[str]) -> dict[str, Tally]:
    """The votes of all people on these questions. An answer without a judgment is not a vote. One query."""
    rows = BlindVote.objects.filter(question__in=list(questions)).exclude(choice=VoteChoice.SKIPPED).order_by()
    by_build: dict[str, dict[UUID, int]] = defaultdict(dict)
    same: dict[str, int] = defaultdict(int)
    for question, build, count in rows.values_list("question", "chosen__build").annotate(count=Count("pk")):
        if build is None:
            same[question] += count
        else:
            by_build[question][build] = count
    return {question: Tally(by_build[question], same[question]) for question in {*by_build, *same}}


def add_up(tallies: Iterable[Tally]) -> Tally:
    by_build: dict[UUID, int] = defaultdict(int)
    same = 0
    for tally in tallies:
        same += tally.same
        for build, count in tally.by_build.items():
            by_build[build] += count
    return Tally(by_build, same)
