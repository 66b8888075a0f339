"""The panel in which a person hears samples without names, votes, and then reads the names."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse

from voices.models import BlindVote, Build
from voices.services.blind_listening import Sentence, Tally
from voices.views.comparison import Comparison


@dataclass(frozen=True, slots=True)
class Reveal:
    """One sample with its name, after the vote."""

    number: int
    letter: str
    build: Build
    is_chosen: bool
    votes: int


@dataclass(frozen=True, slots=True)
class BlindPanel:
    """One sentence to listen to, or the answer that was given to it.

    `samples` are the addresses of the audio, in the order that this person hears. They and `question` name no build.
    """

    sentence: Sentence | None = None
    question: str = ""
    number: int = 0
    count: int = 0
    samples: Sequence[str] = ()
    vote: BlindVote | None = None
    reveals: Sequence[Reveal] = ()
    tally: Tally = field(default_factory=Tally)
    next_url: str = ""
    is_closed: bool = False
    is_held: bool = False


def make_blind_panel(comparison: Comparison, question: str) -> BlindPanel:
    """The sentence that the address names, or the first one without a vote."""
    asked = [one for one in comparison.questions if comparison.can_vote(one)]
    named = next((one for one in comparison.questions if one.question == question), None)
    sentence = named or next(iter(asked), None)
    if sentence is None:
        return BlindPanel(
            count=len(comparison.questions), is_closed=bool(comparison.closed), is_held=bool(comparison.held)
        )
    number = comparison.questions.index(sentence) + 1
    place = (number, len(comparison.questions))
    following = next((one for one in asked if one is not sentence), None)
    next_url = f"{comparison.url}&sentence={following.question}#blind" if following else ""
    vote = comparison.votes.get(sentence.question)
    if vote is None:
        samples = list_sample_urls(comparison, sentence)
        return BlindPanel(sentence, sentence.question, *place, samples=samples, next_url=next_url)
    tally = comparison.tallies.get(sentence.question, Tally())
    reveals = list_reveals(comparison, sentence, vote, tally)
    return BlindPanel(sentence, sentence.question, *place, vote=vote, reveals=reveals, tally=tally, next_url=next_url)


def list_sample_urls(comparison: Comparison, sentence: Sentence) -> list[str]:
    numbers = range(1, len(sentence.samples) + 1)
    url = reverse("voices:compare_sample", args=[sentence.question])
    return [f"{url}?{comparison.query}&number={number}" for number in numbers]


def list_reveals(comparison: Comparison, sentence: Sentence, vote: BlindVote, tally: Tally) -> list[Reveal]:
    letters = {build.pk: letter for letter, build in comparison.sides}
    builds = {build.pk: build for build in comparison.builds}
    chosen = vote.chosen.build_id if vote.chosen else None
    return [
        Reveal(number, letters[pk], builds[pk], pk == chosen, tally.by_build.get(pk, 0))
        for number, pk in enumerate((one.build_id for one in sentence.shuffle_samples(comparison.user)), 1)
        if pk in builds
    ]
