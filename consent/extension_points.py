"""Functions that other apps register here, because this app must not import those apps.

They supply the names of the providers, compare takes with recordings, list the languages of voices and the voices
that were built with a consent, know which providers get no proof of consent, stop the use of a withdrawn consent, go
on with deletions after a legal hold, summarize the voices of talents, and find the next step of each talent.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils import translation

from consent.models import Consent, Talent
from voicehub.models import User
from voicehub.talent_languages import SOURCE_LANGUAGE

ListProviders = Callable[[], list[tuple[str, str]]]
ChangeComparisons = Callable[[Talent], None]
StopUse = Callable[[Consent], None]
ResumeUse = Callable[[Talent], None]
ResumeDeletions = Callable[[Talent], None]
IsExempt = Callable[[str], bool]
ListLanguages = Callable[[Consent], list[str]]
TalentIds = QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Deletion:
    """The deletion of a voice, or of the files sent for it, at a provider after the end of a consent or contract.

    `subject` says what was there, such as “28 recordings and the consent file”. `how` says how the deletion is, or will
    be, confirmed. `url` is its page for staff. With `needs_person`, a person deletes it on the provider's website,
    which is `website`, if it is known.
    """

    provider: str
    subject: str
    requested_at: datetime
    deleted_at: datetime | None
    how: str
    url: str = ""
    needs_person: bool = False
    website: str = ""


@dataclass(frozen=True, slots=True)
class TalentVoices:
    """The number of voices of a talent, and the newest build of any of them. The build's fields are empty without one.

    `shown_ids` has the ids of the first voices, for their tiles.

    `built_count` has the voices with a build that is ready.

    `build_tone` is the tone of its status, as `consent.presenters.Badge` has one.
    """

    voice_count: int = 0
    shown_ids: Sequence[UUID] = ()
    built_count: int = 0
    build_tone: str = ""
    build_label: str = ""
    build_url: str = ""
    built_at: datetime | None = None


class OpenBuild(NamedTuple):
    """A build that waits for staff: the tone and the label of its status, and its page."""

    tone: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class VoiceSummaries:
    """Summaries of the voices of talents, for a list of talents.

    `summarize` returns them by id of the talent, in a constant number of queries. A talent without a voice may be
    missing. The next two make expressions that sort a queryset of talents by the same facts. The next two select the
    ids of talents with a build that failed, and of those whose voices wait for staff for another reason. The last one
    finds the worst build of one talent that waits for staff, the newest of equal ones.
    """

    summarize: Callable[[Collection[UUID]], Mapping[UUID, TalentVoices]]
    make_voice_count: Callable[[], Combinable]
    make_last_built_at: Callable[[], Combinable]
    query_failed: Callable[[], TalentIds]
    query_waiting: Callable[[], TalentIds]
    find_open_build: Callable[[UUID], OpenBuild | None]


@dataclass(frozen=True, slots=True)
class TalentStep:
    """What staff do next for a talent: the label and the address of a link, and the reason.

    Something is wrong if `is_bad`. `other` is then the reason of the next step that is also about something wrong.
    """

    action: str
    url: str
    reason: str
    is_bad: bool = False
    other: str = ""


@dataclass(frozen=True, slots=True)
class SpeakerComparison:
    """How an app compares the voice of a talent. It computes no voiceprint that `voice_comparison` does not allow.

    `compare_takes` is called for a talent whose take was just checked, and compares the takes with the recordings and
    with earlier takes, if the talent allows it: it calls `save_speaker_match` later. `compare_everything` is called
    once the talent allows it, and `forget_speakers` when they no longer do: it deletes the results that the app keeps.
    Both are called in a transaction.
    """

    compare_takes: ChangeComparisons
    compare_everything: ChangeComparisons
    forget_speakers: ChangeComparisons


@dataclass(frozen=True, slots=True)
class UsingVoice:
    """A voice that was built with a consent."""

    name: str
    url: str


ListUsingVoices = Callable[[Consent], list[UsingVoice]]
ListDeletions = Callable[[Consent], list[Deletion]]
HasVoices = Callable[[Consent], bool]
FindFirstSteps = Callable[[Collection[UUID], User], Mapping[UUID, TalentStep]]

_provider_lists: list[ListProviders] = []
_comparisons: list[SpeakerComparison] = []
_language_lists: list[ListLanguages] = []
_using_voices: list[ListUsingVoices] = []
_exemptions: list[IsExempt] = []
_stop_handlers: list[tuple[StopUse, ListDeletions, HasVoices]] = []
_resume_handlers: list[ResumeUse] = []
_hold_handlers: list[ResumeDeletions] = []
_voice_summaries: list[VoiceSummaries] = []
_step_finders: list[FindFirstSteps] = []


def register_providers(list_providers: ListProviders) -> None:
    """Register a source of (slug, name) pairs. It is called whenever a page needs the pairs."""
    _provider_lists.append(list_providers)


def list_provider_choices() -> list[tuple[str, str]]:
    """All available providers as (slug, name)."""
    return [pair for list_providers in _provider_lists for pair in list_providers()]


def get_provider_label(slug: str) -> str:
    """The provider's name, or its slug if no app offers this provider (any longer)."""
    return dict(list_provider_choices()).get(slug, slug)


def register_comparison(comparison: SpeakerComparison) -> None:
    """Register a comparison of takes with recordings."""
    _comparisons.append(comparison)


def compare_takes(talent: Talent) -> None:
    """Ask every app that has recordings of this talent to compare the talent's takes with them."""
    for comparison in _comparisons:
        comparison.compare_takes(talent)


def compare_everything(talent: Talent) -> None:
    """Ask every app to compare the voice in all takes and recordings of this talent."""
    for comparison in _comparisons:
        comparison.compare_everything(talent)


def forget_speakers(talent: Talent) -> None:
    """Ask every app to delete what it found out by comparing the voice of this talent."""
    for comparison in _comparisons:
        comparison.forget_speakers(talent)


def register_voice_languages(list_languages: ListLanguages) -> None:
    """Register a function that lists the languages (BCP 47 tags) of the voices that a consent is for."""
    _language_lists.append(list_languages)


def list_voice_languages(consent: Consent) -> list[str]:
    return [language for list_languages in _language_lists for language in list_languages(consent)]


def register_using_voices(list_voices: ListUsingVoices) -> None:
    """Register a function that lists the voices that were built with a consent, by name."""
    _using_voices.append(list_voices)


def list_using_voices(consent: Consent) -> list[UsingVoice]:
    return [voice for list_voices in _using_voices for voice in list_voices(consent)]


def register_proof_exemption(is_exempt: IsExempt) -> None:
    """Register whether no account of the studio at a provider, by its slug, has to send the recording of a consent."""
    _exemptions.append(is_exempt)


def is_exempt_from_proof(provider: str) -> bool:
    return any(is_exempt(provider) for is_exempt in _exemptions)


def register_stop_handler(stop_use: StopUse, list_deletions: ListDeletions, has_voices: HasVoices) -> None:
    """Register functions that stop the use of a withdrawn consent, list what is deleted for it, and find its voices.

    `stop_use` is called in the transaction that changes the status, so it must not call a provider: it enqueues tasks.
    """
    _stop_handlers.append((stop_use, list_deletions, has_voices))


def stop_use(consent: Consent) -> None:
    """Stop everything that other apps do on the basis of this consent.

    What they store is in English, although the page of the talent who withdraws may be in another language.
    """
    with translation.override(SOURCE_LANGUAGE):
        for handler, *_others in _stop_handlers:
            handler(consent)


def list_deletions(consent: Consent) -> list[Deletion]:
    """The deletions that the end of this consent, or of its contract, caused, oldest first."""
    return [deletion for _stop, list_of_app, _has_voices in _stop_handlers for deletion in list_of_app(consent)]


def has_voices(consent: Consent) -> bool:
    """Whether a voice that only this consent allowed is still at its provider, and its deletion is not requested."""
    return any(app_has_voices(consent) for *_others, app_has_voices in _stop_handlers)


def register_resume_handler(resume_use: ResumeUse) -> None:
    """Register a function that continues what waited while a consent or a contract of the talent was suspended.

    It is called in the transaction that ends the suspension, so it must not call a provider: it enqueues tasks.
    """
    _resume_handlers.append(resume_use)


def resume_use(talent: Talent) -> None:
    """Continue everything that waited in other apps for the end of a suspension."""
    for handler in _resume_handlers:
        handler(talent)


def register_hold_handler(resume_deletions: ResumeDeletions) -> None:
    """Register a function that enqueues the deletions that waited for the end of a talent's legal hold.

    It is called in the transaction that releases the hold, so it must not call a provider.
    """
    _hold_handlers.append(resume_deletions)


def resume_deletions(talent: Talent) -> None:
    """Go on with every deletion that a legal hold on this talent stopped."""
    for handler in _hold_handlers:
        handler(talent)


def register_voice_summaries(summaries: VoiceSummaries) -> None:
    """Register the app that has voices of talents. There is one."""
    _voice_summaries.append(summaries)


def get_voice_summaries() -> VoiceSummaries:
    (summaries,) = _voice_summaries
    return summaries


def register_first_steps(find_steps: FindFirstSteps) -> None:
    """Register the app that knows the next steps of talents. There is one. It makes a constant number of queries."""
    _step_finders.append(find_steps)


def find_first_steps(talents: Collection[UUID], user: User) -> Mapping[UUID, TalentStep]:
    """By id of the talent, what this user does next for the talent. A talent without a step is missing."""
    (find_steps,) = _step_finders
    return find_steps(talents, user)
