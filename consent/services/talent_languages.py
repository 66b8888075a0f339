"""The language of a talent's pages and mails: that of the talent's record, once an admin has released it."""

from contextlib import AbstractContextManager

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone, translation

from consent.models import EventKind, LanguageRelease, Talent
from consent.services.audit_log import record_event
from voicehub.catalogs import hash_catalog
from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_change
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


def speak_to_browser(request: HttpRequest) -> AbstractContextManager[None]:
    """For a person of whom no talent is known: the first offered language that their browser asks for."""
    wanted = translation.get_language_from_request(request)
    return translation.override(wanted if wanted in list_offered_languages() else SOURCE_LANGUAGE)


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
        talent.language = language
        record_language(talent, by)
    return True


def record_language(talent: Talent, by: User | None) -> None:
    """Add the language to the audit log of every consent of the talent, in the transaction that changes it."""
    for consent in talent.consents.select_related("talent").order_by("pk"):
        record_event(consent, EventKind.LANGUAGE_CHOSEN, by, language=talent.language)


def name_release(language: str) -> str:
    """How the security log names it."""
    return f"Language for talents: {TALENT_LANGUAGES.get(language, language)}"


def release_language(language: str, by: User) -> LanguageRelease:
    """Offer this language to talents, with the translations of today. Ends the release before."""
    with transaction.atomic():
        current = LanguageRelease.objects.filter(language=language, ended_at=None)
        current.update(ended_at=timezone.now(), ended_by=by)
        record_change(SecurityEventKind.SETTING_CHANGED, by, name_release(language), "Released.")
        return LanguageRelease.objects.create(language=language, catalog_sha256=hash_catalog(language), released_by=by)


def end_release(release: LanguageRelease, by: User) -> None:
    """Stop offering its language: pages and mails are in English then. Raises ActionRefused if it has ended."""
    with transaction.atomic():
        current = LanguageRelease.objects.filter(pk=release.pk, ended_at=None)
        if not current.update(ended_at=timezone.now(), ended_by=by):
            raise ActionRefused("This release has already ended.")
        record_change(SecurityEventKind.SETTING_CHANGED, by, name_release(release.language), "No longer offered.")


def is_catalog_changed(release: LanguageRelease) -> bool:
    """Whether the translations are others than those that the admin read and released."""
    return release.catalog_sha256 != hash_catalog(release.language)
