"""Models shared by all apps: users, their sessions, sign-ins and changes, threshold overrides, background tasks."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voicehub.name_fields import is_visible, remove_bidi_controls
from voicehub.transitions import StatusModel, make_status_constraint

BROWSER_LENGTH = 300  # of a User-Agent header
SAMPLE_DOMAIN = "@studio.example"  # of the users of the sample studio; no one can own this domain (RFC 2606)
PERMISSION_BACKEND = "django.contrib.auth.backends.ModelBackend"


class User(AbstractUser):
    """A member of the studio's staff. Permissions come from the groups in `voicehub.roles`.

    The `mails_…` switches say which mails about their own work they get (see `voicehub.notifications`).
    """

    mails_build_ready = models.BooleanField("A voice is ready", default=True)
    mails_build_needs_work = models.BooleanField("A build needs work", default=True)
    mails_account_paused = models.BooleanField("An account is paused", default=True)
    mails_voice_public = models.BooleanField("A voice is public", default=True)
    # Grows when roles or second factors change, so that sessions check them again (voicehub.sign_in.second_factor).
    access_version = models.PositiveIntegerField(default=0, editable=False)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Emails are stored in small letters, because django-allauth looks them up so.

        `access_version` keeps its stored value, so that a row that was read before a change of roles does not undo it.
        """
        self.email = self.email.lower()
        version = self.access_version
        if not self._state.adding:
            self.access_version = F("access_version")
        try:
            super().save(*args, **kwargs)
        finally:
            self.access_version = version

    def __str__(self) -> str:
        name = remove_bidi_controls(self.get_full_name())
        return name if is_visible(name) else self.username

    @property
    def is_of_sample(self) -> bool:
        """The users of the sample share a password that stands in a file."""
        return self.email.endswith(SAMPLE_DOMAIN)


class BrowserSession(AbstractBaseSession):
    """A session of a browser, of staff or of a talent (see `voicehub.sign_in.sessions`).

    The primary key is the SHA-256 of the session key, in 40 hex digits, so that the row does not reveal the key.
    """

    KEY_LENGTH: ClassVar = 40

    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="browser_sessions")
    started_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    browser = models.CharField(max_length=BROWSER_LENGTH, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = "session"
        verbose_name_plural = "sessions"
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"Session of {self.user}" if self.user else "Session of a talent"


class SecurityEventKind(models.TextChoices):
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    SIGN_IN_DELAYED = "sign_in_delayed", "Sign-in delayed"
    SIGNED_OUT = "signed_out", "Signed out"
    SESSIONS_ENDED = "sessions_ended", "Sessions ended"
    DENIED = "denied", "Access denied"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_RESET = "password_reset", "Password reset"
    RESET_REQUESTED = "reset_requested", "Password reset requested"
    FACTOR_ADDED = "factor_added", "Second factor added"
    FACTOR_REMOVED = "factor_removed", "Second factor removed"
    CODES_CREATED = "codes_created", "Recovery codes created"
    CODE_USED = "code_used", "Recovery code used"
    FACTOR_FAILED = "factor_failed", "Second factor failed"
    EMAIL_REQUESTED = "email_requested", "New email requested"
    EMAIL_CHANGED = "email_changed", "Email changed"
    INVITED = "invited", "User invited"
    USER_CHANGED = "user_changed", "User changed"
    SETTING_CHANGED = "setting_changed", "Setting changed"
    KEY_CHANGED = "key_changed", "Provider key changed"


class SecurityEvent(models.Model):
    """Something that concerns access: who did what, when and from where. Never changed (see `voicehub.security_log`).

    `actor` did it. `person` is the user whom it concerns, if someone else did it. Their names stay when they are
    deleted. `actor` is empty for a command on the server, and for a failed sign-in with an unknown name, which is not
    kept, because people sometimes type their password there.
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    kind = models.CharField(max_length=20, choices=SecurityEventKind)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="security_events")
    actor_name = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="Whom it concerns, if not the actor."
    )
    person_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    detail = models.TextField(blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    browser = models.CharField(max_length=BROWSER_LENGTH, blank=True)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["actor", "-at"], name="security_event_of_actor")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}".strip()


class SignInAttempts(models.Model):
    """Recent failed sign-ins with one name, from one network, or both (see `voicehub.sign_in.limits`)."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"


class ThresholdOverride(models.Model):
    """This studio's value for a threshold of `audio.findings.thresholds`, for all providers or one tier."""

    provider = models.SlugField(
        max_length=30, blank=True, help_text="Empty: every provider, and before a provider is chosen."
    )
    tier = models.SlugField(max_length=20, blank=True, help_text="Empty: every tier.")
    name = models.SlugField(max_length=60)
    value = models.FloatField()
    reason = models.CharField(max_length=300, help_text="Reason and source.")

    class Meta:
        ordering = ["provider", "tier", "name"]
        constraints = [models.UniqueConstraint(fields=["provider", "tier", "name"], name="threshold_override_once")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.provider, self.tier, self.name) if part)


class TaskStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Task(StatusModel):
    """A background task that must run even if the queue is lost (see `voicehub.outbox`).

    A worker claims the row by writing `lease` and `lease_until`. After that time the row is free again. A failed task
    is on the page Today until it is retried, or until a person marks it as seen.
    """

    Status = TaskStatus
    MOVES: ClassVar = {
        TaskStatus.WAITING: frozenset({TaskStatus.DONE, TaskStatus.FAILED}),
        TaskStatus.FAILED: frozenset({TaskStatus.WAITING}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=TaskStatus, default=TaskStatus.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    notified_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True, help_text="Why the last attempt failed.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            make_status_constraint("task_status_known", TaskStatus),
            models.UniqueConstraint(
                fields=["kind", "object_id"], condition=Q(status=TaskStatus.WAITING), name="task_one_waiting"
            ),
        ]
        indexes = [
            # The sweeper queries due tasks every few seconds.
            models.Index(fields=["due_at"], condition=Q(status=TaskStatus.WAITING), name="task_due"),
            models.Index(
                fields=["finished_at"], condition=Q(status=TaskStatus.FAILED, seen_at=None), name="task_failed_unseen"
            ),
            # Pages look up what is done, or failed, for the row that they show.
            models.Index(fields=["object_id", "kind"], name="task_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.object_id}"
