"""Exceptions for voices in another language than that of the statement."""

import re

from django.db import transaction

from consent.models import Consent, ConsentStatus, EventKind, LanguageException
from consent.services.audit_log import record_event
from consent.services.consent_rules import covers_language, get_primary_subtag
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import get_language_name

ALLOWING_STATUSES = (ConsentStatus.APPROVED, ConsentStatus.SUSPENDED)
SUBTAG_PATTERN = re.compile(r"[a-z]{2,8}")


def allow_language(consent: Consent, language: str, by: User, reason: str) -> None:
    """Allow voices in the language of this BCP 47 tag. The reason is part of the audit log.

    Raises ActionRefused if the consent is not in force or covers the language already.
    """
    subtag = get_primary_subtag(language)
    if not SUBTAG_PATTERN.fullmatch(subtag):
        raise ActionRefused("This is not a language. Reload the page and try again.")
    with transaction.atomic():
        row = Consent.objects.select_for_update().get(pk=consent.pk)
        if row.status not in ALLOWING_STATUSES:
            raise ActionRefused("The consent is not in force, so no language can be allowed.")
        if covers_language(row, subtag):
            raise ActionRefused(f"The consent already covers {get_language_name(subtag)}.")
        LanguageException.objects.create(consent=row, language=subtag, reason=reason, allowed_by=by)
        record_event(row, EventKind.LANGUAGE_ALLOWED, by, language=subtag, reason=reason)


def list_uncovered_languages(consent: Consent, languages: list[str]) -> list[str]:
    """The primary subtags of these BCP 47 tags that the consent does not cover, sorted."""
    return sorted({get_primary_subtag(tag) for tag in languages if not covers_language(consent, tag)})
