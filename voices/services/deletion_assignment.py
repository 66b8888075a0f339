"""The user who deletes a voice on the provider's website, where the provider has no API call for it."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string

from consent.models import Talent
from providers import registry
from voicehub import outbox
from voicehub.models import PERMISSION_BACKEND, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEGAL_HOLD_RETRY
from voicehub.viewer import view_as
from voices.models import Build, RemoteVoice
from voices.services.deletion_calls import is_on_hold

PERMISSION = "voices.delete_remotevoice"
MAIL_TASK = "send_deletion_task"


def query_assignable_users() -> QuerySet[User]:
    """The active users who may delete voices, by name."""
    users: QuerySet[User] = User.objects.with_perm(PERMISSION, backend=PERMISSION_BACKEND)
    return users.order_by("first_name", "last_name", "username")


def assign_if_manual(remote: RemoteVoice) -> None:
    """Assign a deletion that needs a user and has none: who requested the consent, who built, or another user."""
    if not remote.needs_manual_deletion or remote.deletion_assigned_to_id:
        return
    if user := _choose_user(remote):
        _store_assignment(remote, user)


def _choose_user(remote: RemoteVoice) -> User | None:
    build = Build.objects.filter(remote_voice=remote).select_related("consent__requested_by", "started_by").first()
    wanted = [build.consent.requested_by, build.started_by] if build else []
    allowed = (user for user in wanted if user.is_active and user.has_perm(PERMISSION))
    return next(allowed, None) or query_assignable_users().first()


def assign_deletion(remote: RemoteVoice, user: User) -> None:
    """Assign the deletion to another user, who gets a mail. Raises ActionRefused."""
    if not remote.needs_manual_deletion:
        raise ActionRefused("This voice does not wait for a deletion by a person.")
    if not query_assignable_users().filter(pk=user.pk).exists():
        raise ActionRefused(f"{user} is not allowed to delete voices. Choose another person.")
    if remote.deletion_assigned_to_id != user.pk:
        _store_assignment(remote, user)


def _store_assignment(remote: RemoteVoice, user: User) -> None:
    with transaction.atomic():
        remote.deletion_assigned_to = user
        remote.save(update_fields=["deletion_assigned_to"])
        if user.email:
            outbox.enqueue_task(MAIL_TASK, remote.pk)


def resume_mails(talent: Talent) -> None:
    """Send the mails that waited for the end of the talent's legal hold, in the caller's transaction."""
    outbox.hasten_tasks(MAIL_TASK, RemoteVoice.objects.filter(voice__talent=talent).values_list("pk", flat=True))


def send_deletion_task(remote_voice_id: str) -> timedelta | None:
    """Mail the assigned user what to delete and where. Nothing is sent if the deletion is already confirmed.

    During a legal hold no one is asked to delete the voice: the mail waits for its end.
    """
    rows = RemoteVoice.objects.select_related("account", "voice__talent", "deletion_assigned_to")
    remote = rows.filter(pk=remote_voice_id).first()
    user = remote.deletion_assigned_to if remote else None
    if remote is None or user is None or not user.email or not remote.needs_manual_deletion:
        return None
    if is_on_hold(remote):
        return LEGAL_HOLD_RETRY
    label = registry.get_provider_label(remote.account.provider)
    capabilities = remote.find_capabilities()
    context = {
        "remote": remote,
        "user": user,
        "label": label,
        "instructions": capabilities.manual_deletion if capabilities else None,
        "url": f"{settings.VOICEHUB_BASE_URL}{remote.get_absolute_url()}#deletion",
    }
    with view_as(user):
        text = render_to_string("voices/mail/deletion_task.txt", context)
    send_mail(f"Please delete a voice at {label}", text, settings.DEFAULT_FROM_EMAIL, [user.email])
    return None
