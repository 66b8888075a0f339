"""The language of a talent's pages and mails: that of the talent's record, once an admin has released it."""

from contextlib import AbstractContextManager

from django.db import transaction
from django.utils import timezone, translation

from consent.models import EventKind, LanguageRelease, Talent
from consent.services.audit_log import record_event
from voicehub.catalogs import hash_catalog
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES


def list_offered_languages() -> list[str]:
    """English and the released languages, in the order of TALENT_LANGUAGES."""
    released = set(LanguageRelease.objects.filter(ended_at=None).values_list("language", flat=True))
    return [language for language in TALENT_LANGUAGES if language in released | {SOURCE_LANGUAGE}]


def find_language(talent: Talent) -> str:
    """The language of this talent's pages and mails. English, if that of the record is not released."""
    if talent.language == SOURCE_LANGUAGE:
        return SOURCE_LANGUAGE
    return talent.language if talent.language in list_offered_languages() else SOURCE_LANGUAGE


def speak_to(talent: Talent) -> AbstractContextManager[None]:
    """Texts that are made inside the `with` block are in the language of this talent."""
    return translation.override(find_language(talent))


def speak_to_staff() -> AbstractContextManager[None]:
    """For texts that staff read or that are stored, made while a talent's page is."""
    return translation.override(SOURCE_LANGUAGE)


def change_language(talent: Talent, language: str, by: User | None) -> bool:
    """Store the language and record the change. False if it is the one already. `by` is None if the talent chose it.

    Raises ActionRefused if the talent chose a language that is not offered. Staff may choose any.
    """
    allowed = list(TALENT_LANGUAGES) if by else list_offered_languages()
    if language not in allowed:
        raise ActionRefused(translation.gettext("This language is not offered. Choose another one."))
    with transaction.atomic():
        before = Talent.objects.select_for_update().get(pk=talent.pk).language
        if before == language:
            return False
        Talent.objects.filter(pk=talent.pk).update(language=language)
        record_language(talent, language, by)
    talent.language = language
    return True


def record_language(talent: Talent, language: str, by: User | None) -> None:
    """Add the change of the language to the audit log of every consent of the talent, in the caller's transaction."""
    for consent in talent.consents.select_related("talent").order_by("pk"):
        record_event(consent, EventKind.LANGUAGE_CHOSEN, by, language=language)


def release_language(language: str, by: User) -> LanguageRelease:
    """Offer this language to talents, with the translations of today. Ends the release before."""
    with transaction.atomic():
        _end_releases(language, by)
        return LanguageRelease.objects.create(language=language, catalog_sha256=hash_catalog(language), released_by=by)


def end_release(language: str, by: User) -> None:
    """Stop offering this language: pages and mails are in English. Raises ActionRefused if it was not offered."""
    if not _end_releases(language, by):
        raise ActionRefused("This release has already ended.")


def _end_releases(language: str, by: User) -> int:
    current = LanguageRelease.objects.filter(language=language, ended_at=None)
    return current.update(ended_at=timezone.now(), ended_by=by)


def is_catalog_changed(release: LanguageRelease) -> bool:
    """Whether the translations are others than those that the admin read and released."""
    return release.catalog_sha256 != hash_catalog(release.language)
