"""The notice of a consent in the studio: staff confirm that the talent has read it before the recording."""

from django.db import transaction

from consent.models import Consent, ConsentStatus, EventKind
from consent.services.audit_log import record_event
from consent.services.notices import NoticeText, build_notice, find_shown_notice, store_notice
from consent.services.talent_languages import speak_to
from voicehub.models import User
from voicehub.refusals import ActionRefused

NOT_READ = "{name} has not read the notice of this consent. Show it first, and confirm that it was read."


def build_studio_notice(consent: Consent) -> NoticeText:
    """The notice of today in the language of the talent, as the private page shows it."""
    with speak_to(consent.talent):
        return build_notice(consent)


def is_notice_read(consent: Consent, notice: NoticeText) -> bool:
    """Whether the talent was shown this very notice, on the private link or in the studio."""
    return consent.notices.filter(sha256=notice.sha256).exists()


def confirm_notice_read(consent: Consent, notice: NoticeText, by: User) -> None:
    """Record that the talent has read this notice in the studio. Raises ActionRefused if no recording is waited for."""
    with transaction.atomic():
        locked = Consent.objects.select_for_update(of=("self",)).select_related("talent").get(pk=consent.pk)
        if locked.status != ConsentStatus.REQUESTED:
            raise ActionRefused("This consent is no longer waiting for a recording.")
        if not is_notice_read(locked, notice):
            store_notice(locked, notice)
            record_event(locked, EventKind.NOTICE_READ, by, notice=notice.sha256)


def require_shown_notice(consent: Consent) -> None:
    """Raise ActionRefused if the talent was shown no notice of this consent before the recording."""
    if find_shown_notice(consent) is None:
        raise ActionRefused(NOT_READ.format(name=consent.talent.shown_name))
