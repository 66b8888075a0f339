import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from consent.models.talent import Talent
from voicehub.json_fields import ListOf, ShapedJSONField
from voicehub.json_shapes import FINDINGS
from voicehub.name_fields import NameField
from voicehub.storage import private
from voicehub.text import format_date


def contract_path(contract: "Contract", _name: str) -> str:
    """A generated path. The file name from the browser is for display only."""
    return f"contracts/{contract.talent_id}/{contract.pk}.pdf"


class ContractQuerySet(models.QuerySet["Contract"]):
    def in_force(self, day: date | None = None) -> "ContractQuerySet":
        """Contracts whose dates allow the day `day` (default today), without those that are suspended now."""
        return self.current(day).filter(~models.Exists(_query_open_suspensions()))

    def current(self, day: date | None = None) -> "ContractQuerySet":
        """Contracts that are signed and have started by `day` (default today), also suspended ones.

        Contracts that ended before `day`, or whose replacement has started, are left out.
        """
        day = day or timezone.localdate()
        replaced = Contract.objects.filter(supersedes=models.OuterRef("pk"), starts_on__lte=day, signed_on__lte=day)
        open_ended = Q(ends_on__isnull=True) | Q(ends_on__gte=day)
        return self.filter(open_ended, ~models.Exists(replaced), signed_on__lte=day, starts_on__lte=day)

    def read_suspension_reasons(self) -> dict[uuid.UUID, str | None]:
        """By id, the reason for which a contract is suspended now. None for a contract that is not suspended."""
        reason = _query_open_suspensions().values("suspensions__reason")[:1]
        return dict(self.annotate(suspension_reason=models.Subquery(reason)).values_list("pk", "suspension_reason"))


def _query_open_suspensions() -> ContractQuerySet:
    """The contract of the outer query, if it is suspended now."""
    return Contract.objects.filter(
        pk=models.OuterRef("pk"), suspensions__isnull=False, suspensions__resumed_at__isnull=True
    ).order_by()


class Contract(models.Model):
    """The signed document that states what the studio may do with the voice. Its dates decide if it is in force."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="contracts")
    file = models.FileField(storage=private, upload_to=contract_path, max_length=200)
    file_name = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    file_warnings = ShapedJSONField(
        shape=FINDINGS,
        default=list,
        editable=False,
        help_text="Findings about risky content of the PDF, such as scripts.",
    )
    file_problem = models.CharField(
        max_length=200,
        blank=True,
        editable=False,
        help_text="Why the last check could not confirm the stored file. Empty if the file is as it was filed.",
    )
    file_checked_at = models.DateTimeField(null=True, editable=False)
    signed_on = models.DateField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True, help_text="Leave empty for no end date.")
    company = NameField(
        "party", max_length=120, blank=True, help_text="The studio's legal name in the contract. Empty: not confirmed."
    )
    territory = models.CharField(max_length=200, default="Worldwide", help_text="In the words of the contract.")
    countries = ShapedJSONField(
        shape=ListOf(str),
        default=list,
        blank=True,
        help_text="ISO 3166-1 codes, or only “worldwide”. Empty: not confirmed.",
    )
    terms_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    terms_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    purposes = ShapedJSONField(shape=ListOf(str), default=list, help_text="Purposes for which the voice may be built.")
    intended_uses = models.TextField(
        help_text="Describe the uses as precisely as the contract does. In several US states a vague clause is void."
    )
    excluded_uses = models.TextField(blank=True)
    providers = ShapedJSONField(shape=ListOf(str), default=list, help_text="The providers that may build the voice.")
    compensation = models.CharField(max_length=300, blank=True)
    exclusive = models.BooleanField(default=False)
    representation = models.CharField(
        max_length=200, blank=True, help_text="Agent, lawyer or union that represented the talent."
    )
    training_allowed = models.BooleanField(
        "provider may train its own models", default=False, help_text="Only if the contract says so."
    )
    delete_at_end = models.BooleanField("voice is deleted when the contract ends", default=True)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    filed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    filed_at = models.DateTimeField(auto_now_add=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", "-filed_at"]
        permissions = [("read_contract", "Can open contracts, with their fees and files")]
        constraints = [
            models.CheckConstraint(
                name="contract_ends_after_start",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.talent.shown_name}, signed on {format_date(self.signed_on)}"

    def get_absolute_url(self) -> str:
        return reverse("consent:contract", args=[self.pk])

    def find_started_replacement(self) -> "Contract":
        """The newest of the contracts that replaced this one and have started, or this one if there is none."""
        newest, today = self, timezone.localdate()
        while replacement := Contract.objects.filter(
            supersedes=newest, starts_on__lte=today, signed_on__lte=today
        ).first():
            newest = replacement
        return newest

    @property
    def is_in_force(self) -> bool:
        return Contract.objects.in_force().filter(pk=self.pk).exists()
