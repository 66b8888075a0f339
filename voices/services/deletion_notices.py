"""The mail that tells the producer of a planned deletion a week before it."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from consent.models import Consent
from consent.services.coverage import Coverage
from providers import registry
from voicehub.models import User
from voicehub.viewer import view_as
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
    recipient = find_recipient(remote)
    with view_as(recipient):
        text = render_to_string("voices/mail/planned_deletion.txt", context)
    address = recipient.email if recipient else settings.DEFAULT_FROM_EMAIL
    send_mail(f"Planned deletion of the voice {remote.voice}", text, settings.DEFAULT_FROM_EMAIL, [address])


def find_recipient(remote: RemoteVoice) -> User | None:
    """The person who requested the newest consent, or who started the newest build. None: the studio's own address.

    People who may no longer sign in get no mail.
    """
    use = get_use(remote)
    consents = Consent.objects.filter(talent=use.talent_id, provider=use.provider, purpose=use.purpose)
    requests = consents.filter(requested_by__is_active=True).exclude(requested_by__email="").order_by("-created_at")
    if request := requests.select_related("requested_by").first():
        return request.requested_by
    builds = Build.objects.filter(remote_voice=remote, started_by__is_active=True).exclude(started_by__email="")
    build = builds.select_related("started_by").order_by("-created_at").first()
    return build.started_by if build else None
