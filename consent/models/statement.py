"""The texts that talents read aloud."""

import re
from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from providers.registry import PROVIDERS, get_provider_label
from voicehub.languages import find_foreign_letters, normalize_language
from voicehub.text import get_language_name

CHECK_AFTER = timedelta(days=365)
"""After so long a statement is compared with its source again, if no other date is set."""
COMPANY_SLOT, TALENT_SLOT = "{company}", "{talent}"
BRACES_PATTERN = re.compile(r"\{[^{}]*\}|[{}]")


class Wording(models.TextChoices):
    """Who wrote a statement. A vendor may refuse a text that is not its own."""

    VENDOR = "vendor", "Provider's words"
    STUDIO = "studio", "Studio's words"


class StatementQuerySet(models.QuerySet["Statement"]):
    def in_use(self) -> "StatementQuerySet":
        return self.filter(retired=False)

    def to_check(self) -> "StatementQuerySet":
        """Statements in use whose source may have changed, by the date on which a person wanted to look again."""
        return self.in_use().filter(check_on__lt=timezone.localdate())


class Statement(models.Model):
    """A version of the text that talents read aloud for one provider in one language, with its source.

    `text` contains {company} and may contain {talent}; both are filled in when a consent is requested.
    """

    provider = models.SlugField(max_length=30)
    language = models.CharField(max_length=16, help_text="As a BCP 47 tag, such as en-US.")
    version = models.PositiveSmallIntegerField(default=1)
    text = models.TextField(help_text="With {company} where the studio's name belongs, and {talent} for the talent's.")
    wording = models.CharField(max_length=6, choices=Wording, default=Wording.STUDIO)
    source = models.CharField(max_length=300, help_text="The web page or document that the text comes from.")
    source_date = models.DateField()
    check_on = models.DateField(
        "check again on", null=True, blank=True, help_text="Today reminds an admin after this day. Empty: in a year."
    )
    retired = models.BooleanField(default=False, help_text="No longer offered. Consents that used it keep it.")

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "language", "version"], name="statement_version_once"),
            models.CheckConstraint(name="statement_wording_known", condition=models.Q(wording__in=Wording.values)),
        ]

    def __str__(self) -> str:
        return f"{get_provider_label(self.provider)}, {get_language_name(self.language)}, version {self.version}"

    def fill(self, *, company: str, talent: str) -> str:
        """The text with the names filled in. Other braces in the text or the names are left unchanged."""
        return self.text.replace(COMPANY_SLOT, company).replace(TALENT_SLOT, talent)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Also put the language into its usual form, and set the date of the next check."""
        excluded = exclude or ()
        if "check_on" not in excluded and self.check_on is None:
            self.check_on = timezone.localdate() + CHECK_AFTER
        problems: dict[str, str] = {}
        if "provider" not in excluded and self.provider not in PROVIDERS:
            problems["provider"] = (
                f"“{self.provider}” is not a known provider. Use one of these: {', '.join(PROVIDERS)}."
            )
        if "language" not in excluded:
            try:
                self.language = normalize_language(self.language)
            except ValueError as error:
                problems["language"] = str(error)
        if "text" not in excluded and (problem := self._find_text_problem(has_language="language" not in problems)):
            problems["text"] = problem
        if problems:
            raise ValidationError(problems)
        super().clean_fields(exclude)

    def _find_text_problem(self, *, has_language: bool) -> str:
        if COMPANY_SLOT not in self.text:
            return f"The text has no {COMPANY_SLOT}. Write it where the talent says the name of the studio."
        unknown = [slot for slot in BRACES_PATTERN.findall(self.text) if slot not in (COMPANY_SLOT, TALENT_SLOT)]
        if unknown:
            return f"“{unknown[0]}” is not a known placeholder. Use {COMPANY_SLOT} or {TALENT_SLOT}."
        foreign = find_foreign_letters(self.text, self.language) if has_language else ""
        if foreign:
            return f"The text has letters of another script: {' '.join(foreign)}. Remove them."
        return ""
