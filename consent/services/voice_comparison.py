"""Whether a talent's voice may be compared by voiceprints: the question, the answers, and the rule that reads them.

A voiceprint is biometric data, so it needs a permission of its own, which is no condition for anything. Everything that
computes one asks `is_comparison_allowed` before, and stores a result only within `lock_permission`. A change of the
words needs a new WORDS_VERSION.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from audio.networks import speaker_encoder, speaker_match
from consent import extension_points
from consent.models import ComparisonAnswer, Consent, EventKind, Invitation, TakeCheck, Talent
from consent.services.audit_log import record_event
from voicehub.json_fields import hash_json
from voicehub.models import User
from voicehub.talent_languages import SOURCE_LANGUAGE, get_talent_language

WORDS_VERSION = 1
NOT_ALLOWED = "The talent has not allowed the voice comparison."


@dataclass(frozen=True, slots=True)
class ComparisonQuestion:
    """The question as a talent is shown it. `content` is what is stored, and `sha256` its hash as canonical JSON."""

    title: str
    question: str
    paragraphs: tuple[str, ...]
    content: dict[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class VoiceComparison:
    """The question of today, and the answer that counts, if there is one."""

    question: ComparisonQuestion
    answer: ComparisonAnswer | None


def load_comparison(talent: Talent) -> VoiceComparison:
    return VoiceComparison(build_question(talent), find_answer(talent))


def build_question(talent: Talent) -> ComparisonQuestion:
    """The question in the active language. In another language than English, it holds the English words too."""
    language, words = get_talent_language(), _build_words()
    content = {"talent": str(talent.pk), "language": language, "version": WORDS_VERSION, **words}
    if language != SOURCE_LANGUAGE:
        with translation.override(SOURCE_LANGUAGE):
            content["english"] = _build_words()
    return ComparisonQuestion(
        words["title"], words["question"], tuple(words["paragraphs"]), content, hash_json(content)
    )


def _build_words() -> dict[str, Any]:
    question = gettext("I allow the voice comparison")
    return {"title": get_title(), "question": question, "paragraphs": list(describe_comparison())}


def get_title() -> str:
    return gettext("Voice comparison, only if you want it")


def describe_comparison() -> tuple[str, ...]:
    """What is compared with what, what is computed for it, how long that lives, and that it is no condition."""
    return (
        gettext(
            "If you allow it, the computer of the studio compares your voice in a recording of such a text with your "
            "voice in your other recordings and in your earlier recordings of such texts. It shows the studio if "
            "another person seems to speak. Your voice is never compared with that of other people."
        ),
        gettext(
            "For this it computes a voiceprint of each of these recordings: %(numbers)d numbers, from up to "
            "%(seconds)d seconds of speech. That is biometric data. A voiceprint is kept only in the memory of the "
            "computer while it compares, and is gone when that task ends. It is never stored or sent to anyone."
        )
        % {"numbers": speaker_encoder.SIZE, "seconds": speaker_match.MAX_VOICED_SECONDS},
        gettext(
            "What is stored is how similar the voices are, as a number from 0 to 1 for each recording. You can take "
            "this permission back at any time, on your private page or by telling the studio. Then these results are "
            "deleted, and no voiceprint is computed from then on."
        ),
        gettext(
            "You do not have to allow it. Your consent does not depend on it: without it, a person of the studio "
            "listens and decides."
        ),
    )


def find_answer(talent: Talent) -> ComparisonAnswer | None:
    """The answer that counts: the last one."""
    rows = ComparisonAnswer.objects.filter(talent=talent).select_related("recorded_by")
    return rows.order_by("-number").first()


def is_comparison_allowed(talent_id: UUID) -> bool:
    """Whether voiceprints of this talent may be computed now. Asks the database. Without an answer, they may not."""
    answers = ComparisonAnswer.objects.filter(talent=talent_id).order_by("-number")
    return bool(answers.values_list("is_allowed", flat=True).first())


@contextmanager
def lock_permission(talent_id: UUID) -> Iterator[bool]:
    """A transaction in which the answer cannot change; yields whether results of a comparison may be stored in it."""
    with transaction.atomic():
        _lock_talent(talent_id)
        yield is_comparison_allowed(talent_id)


def _lock_talent(talent_id: UUID) -> None:
    Talent.objects.select_for_update(no_key=True).get(pk=talent_id)


def record_answer(
    talent: Talent,
    question: ComparisonQuestion,
    *,
    is_allowed: bool,
    invitation: Invitation | None = None,
    by: User | None = None,
    reason: str = "",
) -> bool:
    """Store the answer of a talent, and act on it: a yes starts the comparison, a no deletes its results.

    `by` is the staff member who records it, for `reason`, or in whose browser the link was opened; otherwise None.
    Returns False, and stores nothing, if it is the same answer as before.
    """
    with transaction.atomic():
        _lock_talent(talent.pk)
        last = find_answer(talent)
        if last is not None and last.is_allowed == is_allowed:
            return False
        answer = ComparisonAnswer.objects.create(
            talent=talent,
            number=last.number + 1 if last else 1,
            is_allowed=is_allowed,
            version=WORDS_VERSION,
            content=question.content,
            sha256=question.sha256,
            invitation=invitation,
            recorded_by=by,
            reason=reason,
        )
        _record_on_every_consent(answer, _choose_kind(last, is_allowed=is_allowed))
        if is_allowed:
            extension_points.compare_everything(talent)
        else:
            forget_results(talent)
    return True


def _choose_kind(last: ComparisonAnswer | None, *, is_allowed: bool) -> EventKind:
    if is_allowed:
        return EventKind.COMPARISON_ALLOWED
    return EventKind.COMPARISON_ENDED if last else EventKind.COMPARISON_REFUSED


def _record_on_every_consent(answer: ComparisonAnswer, kind: EventKind) -> None:
    for consent in Consent.objects.filter(talent=answer.talent).select_related("talent").order_by("pk"):
        record_event(consent, kind, answer.recorded_by, **_make_payload(answer))


def _make_payload(answer: ComparisonAnswer) -> dict[str, Any]:
    payload: dict[str, Any] = {"answer": answer.number, "version": answer.version, "words": answer.sha256}
    if answer.invitation_id:
        payload["invitation"] = str(answer.invitation_id)
    if answer.reason:
        payload["reason"] = answer.reason
    return payload


def record_earlier_answer(consent: Consent) -> None:
    """Record on a new request the answer that counts for its talent, in the transaction that creates the request.

    Without it, an answer from before the first request would be in no audit log.
    """
    _lock_talent(consent.talent_id)  # an answer at the same time is either found here, or finds the request
    if answer := find_answer(consent.talent):
        kind = _choose_kind(None, is_allowed=answer.is_allowed)
        given_at = answer.created_at.isoformat()
        record_event(consent, kind, answer.recorded_by, **_make_payload(answer), given_at=given_at)


def forget_results(talent: Talent) -> None:
    """Delete every result of a comparison of this talent's voice. Call it in a transaction."""
    TakeCheck.objects.filter(take__consent__talent=talent).exclude(speaker={}).update(speaker={})
    extension_points.forget_speakers(talent)
