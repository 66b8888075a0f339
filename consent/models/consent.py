import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from consent.models.choices import ConsentStatus, Purpose
from consent.models.statement import Statement
from consent.models.talent import Talent
from consent.names import choose_name, hide_names, may_see_names
from providers.registry import get_provider_label
from voicehub.name_fields import NameField
from voicehub.transitions import StatusModel, make_status_constraint

# The statuses of a consent that was approved and has not ended.
APPROVED_STATUSES = [ConsentStatus.APPROVED, ConsentStatus.SUSPENDED]


class ConsentQuerySet(models.QuerySet["Consent"]):
    def in_force(self) -> "ConsentQuerySet":
        """Approved consents whose last day has not passed."""
        return self.in_force_or_suspended().filter(status=ConsentStatus.APPROVED)

    def in_force_or_suspended(self) -> "ConsentQuerySet":
        """Approved and suspended consents whose last day has not passed."""
        unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
        return self.filter(unexpired, status__in=APPROVED_STATUSES)

    def answered(self) -> "ConsentQuerySet":
        """Consents whose statement was read, or that were declined. A canceled request counts as not answered."""
        is_answered = Q(takes__acceptable=True) | Q(status=ConsentStatus.DECLINED)
        return self.filter(is_answered).exclude(status=ConsentStatus.VOIDED).distinct()


class Consent(StatusModel):
    """One talent's permission for one provider and purpose.

    It stores a copy of the statement as shown, with its hash, so that later versions of the
    statement do not affect the consent. A newer approval for the same talent, provider and purpose replaces it.
    """

    Status = ConsentStatus
    MOVES: ClassVar = {
        ConsentStatus.REQUESTED: frozenset(
            {ConsentStatus.SUBMITTED, ConsentStatus.DECLINED, ConsentStatus.VOIDED, ConsentStatus.EXPIRED}
        ),
        ConsentStatus.SUBMITTED: frozenset({ConsentStatus.APPROVED, ConsentStatus.REQUESTED, ConsentStatus.DECLINED}),
        ConsentStatus.APPROVED: frozenset(
            {ConsentStatus.SUSPENDED, ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED, ConsentStatus.REPLACED}
        ),
        ConsentStatus.SUSPENDED: frozenset(
            {ConsentStatus.APPROVED, ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED, ConsentStatus.REPLACED}
        ),
        ConsentStatus.EXPIRED: frozenset({ConsentStatus.WITHDRAWN}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="consents")
    provider = models.SlugField(max_length=30)
    purpose = models.CharField(max_length=20, choices=Purpose)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="+")
    company = NameField(max_length=120)
    talent_name = NameField(max_length=120, blank=True, help_text="The talent's name when the consent was requested.")
    language = models.CharField(max_length=16)
    text = models.TextField(help_text="The statement exactly as shown.")
    text_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=ConsentStatus, default=ConsentStatus.REQUESTED)
    valid_until = models.DateField(null=True, blank=True, help_text="Leave empty for no end date.")
    note_to_talent = models.TextField(blank=True, help_text="Why the statement must be read again.")
    ticked_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the talent ticked the purpose on the private link. Empty if it has no tick now.",
    )
    take = models.ForeignKey("Take", models.PROTECT, null=True, blank=True, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaced_consents")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    broken_event = models.PositiveIntegerField(
        null=True,
        editable=False,
        help_text="The first audit log entry that did not match the chain in the last check. Empty if all matched.",
    )
    history_checked_at = models.DateTimeField(null=True, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [
            ("invite_talent", "Can send and copy invitations"),
            ("review_consent", "Can approve, suspend and withdraw consents"),
        ]
        indexes = [models.Index(fields=["status"], name="consent_by_status")]  # every page counts those to review
        constraints = [
            make_status_constraint("consent_status_known", ConsentStatus),
            models.CheckConstraint(
                name="consent_approved_is_complete",
                condition=~Q(status__in=APPROVED_STATUSES)
                | Q(approved_by__isnull=False, approved_at__isnull=False, take__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["talent", "provider", "purpose"],
                condition=Q(status__in=APPROVED_STATUSES),
                name="consent_one_approved",
            ),
        ]

    def get_purpose_display(self) -> str:  # type: ignore[no-redef]  # in place of the method that Django makes
        """The label of the purpose, in the active language."""
        return gettext(Purpose(self.purpose).label) if self.purpose in Purpose.values else self.purpose

    def __str__(self) -> str:
        return f"{self.talent.shown_name}, {get_provider_label(self.provider)}, {self.get_purpose_display().lower()}"

    def get_absolute_url(self) -> str:
        return reverse("consent:consent", args=[self.pk])

    @property
    def shown_talent_name(self) -> str:
        """The name at the time of the request, as its reader may see it."""
        return choose_name(self.talent_name or self.talent.name, self.talent.short_name)

    @property
    def shown_text(self) -> str:
        """The statement, with the short name in place of the real one for a reader who may not see that."""
        if may_see_names():
            return self.text
        short_name, names = self.talent.short_name, [name for name in (self.talent_name, self.talent.name) if name]
        if any(self.statement.fill(company=self.company, talent=name) == self.text for name in names):
            return self.statement.fill(company=self.company, talent=short_name)
        shown = hide_names(self.text, *names, short_name=short_name)
        return shown if shown != self.text else "Your role does not include the text, which has the real name."

    def find_newest_replacement(self) -> "Consent":
        """The consent at the end of the chain of replacements, or this one if nothing replaced it."""
        newest = self
        while newest.replaced_by is not None:
            newest = newest.replaced_by
        return newest
