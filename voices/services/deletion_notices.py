"""The mail that tells the producer of a planned deletion a week before it."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from consent.models import Consent
from consent.services.coverage import Coverage
from providers import registry
from voices.models import Build, RemoteVoice
from voices.services.scheduled_deletion import get_use


def send_deletion_notice(remote_voice_id: str) -> None:
    """Send the mail, unless the plan was canceled in the meantime."""
    remote = RemoteVoice.objects.select_related("account", "voice__talent").filter(pk=remote_voice_id).first()
    if remote is None or remote.deletion_due_on is None or remote.is_being_deleted:
        return
    use = get_use(remote)
    if Coverage([use.talent_id]).find_end(use) is None:
        return
    context = {
        "remote": remote,
        "provider": registry.get_provider_label(remote.account.provider),
        "link": settings.VOICEHUB_BASE_URL + remote.get_absolute_url(),
    }
    send_mail(
        f"Planned deletion of the voice {remote.voice}",
        render_to_string("voices/mail/planned_deletion.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [find_recipient(remote)],
    )


def find_recipient(remote: RemoteVoice) -> str:
    """The person who requested the newest consent, or who started the newest build, or the studio's own address.

    People who may no longer sign in get no mail.
    """
    use = get_use(remote)
    consents = Consent.objects.filter(talent=use.talent_id, provider=use.provider, purpose=use.purpose)
    requesters = consents.filter(requested_by__is_active=True).order_by("-created_at")
    builders = Build.objects.filter(remote_voice=remote, started_by__is_active=True).order_by("-created_at")
    addresses = [
        *requesters.values_list("requested_by__email", flat=True),
        *builders.values_list("started_by__email", flat=True),
    ]
    return next((address for address in addresses if address), settings.DEFAULT_FROM_EMAIL)
