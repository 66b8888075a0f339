"""Reports confirmed deletions of remote voices to the consents that have ended, so that talents get a mail."""

from consent.models import Consent, ConsentStatus
from consent.services.talent_mails import report_all_deleted_if_done
from voices.models import RemoteVoice

ENDED_STATUSES = (ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED, ConsentStatus.REPLACED)


def report_deletion(remote: RemoteVoice) -> None:
    """Mail "everything is deleted" for each ended consent whose last deletion this was. Call it after storing."""
    if remote.voice is None:
        return
    ended = Consent.objects.filter(
        talent=remote.voice.talent_id,
        provider=remote.account.provider,
        purpose=remote.voice.purpose,
        status__in=ENDED_STATUSES,
    )
    for consent in ended.select_related("talent", "requested_by").order_by("created_at"):
        report_all_deleted_if_done(consent)
