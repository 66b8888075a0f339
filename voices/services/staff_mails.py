"""Mails to staff about their own work. Each user can switch off each kind (`voicehub.notifications`).

A mail is a task that is stored in the transaction of what it reports. When it is sent, it checks that this is still so.
A worker that is killed between sending and storing sends it twice at worst.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from providers import registry
from voicehub import outbox
from voicehub.models import PERMISSION_BACKEND, User
from voicehub.viewer import view_as
from voices.models import Account, Build, BuildStatus, RemoteVoice
from voices.models.build import ACTIVE_STATUSES

BUILD_TASK, PAUSE_TASK, PUBLIC_TASK = "send_build_mail", "send_pause_mail", "send_public_voice_mail"
RESUME_PERMISSION = "voices.change_account"
ENDED_SUBJECTS = {
    BuildStatus.READY: "The voice {voice} is ready",
    BuildStatus.DATASET_ISSUE: "Recordings of the voice {voice} need fixing",
    BuildStatus.CONSENT_REJECTED: "The provider rejected the consent for the voice {voice}",
    BuildStatus.FAILED: "The build of the voice {voice} failed",
}
ANSWER_SUBJECT = "The build of the voice {voice} needs your answer"


def enqueue_build_mail(build: Build) -> None:
    """Call it when a build ended, or when it began to need an answer of staff."""
    outbox.enqueue_task(BUILD_TASK, build.pk)


def send_build_mail(build_id: str) -> None:
    """Tell the person who started the build that it is ready, needs work, or needs an answer."""
    related = ("voice__talent", "remote_voice__account", "started_by")
    build = Build.objects.select_related(*related).filter(pk=build_id).first()
    if build is None or not _is_worth_a_mail(build):
        return
    is_ready, user = build.status == BuildStatus.READY, build.started_by
    if user.mails_build_ready if is_ready else user.mails_build_needs_work:
        subject = ENDED_SUBJECTS.get(BuildStatus(build.status), ANSWER_SUBJECT)
        provider = registry.get_provider_label(build.remote_voice.account.provider)
        context = {"build": build, "is_ready": is_ready, "is_active": build.is_active, "provider": provider}
        _send_mail(user, subject.format(voice=build.voice.name), "build", context, build.get_absolute_url())


def _is_worth_a_mail(build: Build) -> bool:
    """Whether the build is ready, needs work, or needs an answer, also now that the mail is sent."""
    if build.is_active:
        return build.status == BuildStatus.UNCONFIRMED or build.has_unknown_provider_status
    if build.status == BuildStatus.READY:
        return build.remote_voice.deletion_requested_at is None
    return build.status in ENDED_SUBJECTS


def enqueue_pause_mails(account_id: UUID, *, paused_by: User | None = None) -> None:
    """Enqueue a mail to each person whose build waits for the account, and to each who may resume it.

    Who paused the account gets none.
    """
    starters = Build.objects.filter(status__in=ACTIVE_STATUSES, remote_voice__account=account_id).values("started_by")
    admins = User.objects.with_perm(RESUME_PERMISSION, backend=PERMISSION_BACKEND).values("pk")
    users = User.objects.filter(Q(pk__in=starters) | Q(pk__in=admins), is_active=True).exclude(email="")
    for user in users:
        if user != paused_by:
            outbox.enqueue_task(PAUSE_TASK, f"{account_id}:{user.pk}")


def send_pause_mail(account_and_user: str) -> None:
    account_id, _, user_id = account_and_user.partition(":")
    account = Account.objects.filter(pk=account_id, paused_at__isnull=False).first()
    user = User.objects.filter(pk=user_id).first()
    if account is None or user is None or not user.mails_account_paused:
        return
    builds = Build.objects.active().filter(remote_voice__account=account, started_by=user).select_related("voice")
    context = {
        "account": account,
        "builds": list(builds),
        "provider": registry.get_provider_label(account.provider),
        "can_resume": user.has_perm(RESUME_PERMISSION),
    }
    url = reverse("voices:account", args=[account.pk])
    _send_mail(user, f"The account {account.name} is paused", "account_paused", context, url)


def enqueue_public_voice_mail(remote: RemoteVoice) -> None:
    outbox.enqueue_task(PUBLIC_TASK, remote.pk)


def send_public_voice_mail(remote_voice_id: str) -> None:
    """Tell the person who started the newest build of the voice, or who adopted it."""
    related = ("voice__talent", "account", "adopted_by")
    remote = RemoteVoice.objects.select_related(*related).filter(pk=remote_voice_id, deleted_at=None).first()
    if remote is None or not remote.is_public:
        return
    newest = remote.builds.select_related("started_by").first()
    user = newest.started_by if newest else remote.adopted_by
    if user and user.mails_voice_public:
        context = {"remote": remote, "provider": registry.get_provider_label(remote.account.provider)}
        subject = f"The voice {remote.voice or remote.name} is public"
        _send_mail(user, subject, "voice_public", context, remote.get_absolute_url())


def _send_mail(user: User, subject: str, template: str, context: dict[str, Any], url: str) -> None:
    """Send it, unless the user may no longer sign in or has no email address."""
    if not (user.is_active and user.email):
        return
    context |= {
        "user": user,
        "link": settings.VOICEHUB_BASE_URL + url,
        "switch_link": settings.VOICEHUB_BASE_URL + reverse("notifications"),
    }
    with view_as(user):
        text = render_to_string(f"voices/mail/{template}.txt", context)
    send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [user.email])
