"""Reports confirmed deletions of remote voices to the consents that have ended, so that talents get a mail."""

from consent.models import Consent, ConsentStatus
from consent.services.talent_mails import report_all_deleted_if_done
from voices.models import RemoteVoice


def report_deletion(remote: RemoteVoice) -> None:
    """Mail "everything is deleted" for each ended consent whose last deletion this was. Call it after storing.

    A consent that was replaced has not ended: the newest one has, or none. Neither has an expired one that was renewed.
    """
    if remote.voice is None:
        return
    consents = Consent.objects.filter(
        talent=remote.voice.talent_id, provider=remote.account.provider, purpose=remote.voice.purpose
    )
    is_renewed = consents.in_force_or_suspended().exists()
    ended = [ConsentStatus.WITHDRAWN] if is_renewed else [ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED]
    for consent in consents.filter(status__in=ended).select_related("talent", "requested_by").order_by("created_at"):
        report_all_deleted_if_done(consent)
