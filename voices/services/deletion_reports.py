"""Reports confirmed deletions of remote voices to the consent that ended last, so that talents get a mail."""

from consent.models import Consent, ConsentStatus
from consent.services.talent_mails import report_all_deleted_if_done
from voices.models import RemoteVoice


def report_deletion(remote: RemoteVoice) -> None:
    """Mail "everything is deleted" if this was the last deletion after the end of a consent. Call it after storing.

    A replaced consent does not count as ended, nor does an expired one that was renewed. If several have ended, the
    mail is about the newest one.
    """
    if remote.voice is None:
        return
    consents = Consent.objects.filter(
        talent=remote.voice.talent_id, provider=remote.account.provider, purpose=remote.voice.purpose
    )
    is_renewed = consents.in_force_or_suspended().exists()
    ended = [ConsentStatus.WITHDRAWN] if is_renewed else [ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED]
    rows = consents.filter(status__in=ended, approved_at__isnull=False).select_related("talent", "requested_by")
    newest = rows.order_by("-approved_at").first()
    if newest is not None:
        report_all_deleted_if_done(newest)
