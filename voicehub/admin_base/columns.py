"""A field of a model as the admin shows it, in a list or on the page of a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin.utils import quote
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from voicehub.admin_base.formats import EMPTY, Format, find_format, is_hash
from voicehub.status_marks import get_tone, render_mark

MAX_RELATED = 50
MAX_CHARACTERS = 120  # of a text in a list
# Fields with codes or raw values. Pages show them under “Technical details”.
TECHNICAL_FIELDS = {
    "hash", "remote_id", "object_id", "lease", "lease_until", "notified_at", "due_at", "attempts", "raw_status",
    "raw_response", "user_agent", "address", "device", "body", "response_text", "recipe", "levels", "measures",
    "comparison", "speaker_result", "components", "deletion_proof", "plan_refusals", "options", "pending_call",
    "previous_version", "lookup_attempts", "reference", "wav_sha256", "payload", "sequence", "content_type",
    "from_callback", "has_unknown_status", "is_consent_exempt",
    "analyzed_at", "talent_name", "company",
    "finding_codes", "warning_codes", "worst_severity", "progress_done", "progress_total",
}  # fmt: skip
# Fields that no page shows: secrets, and curves of a sound.
HIDDEN_FIELDS = {"peaks", "fine_peaks", "sound_features", "fingerprint", "resume_state", "encrypted_key"}


# Names of fields that the model names for programmers.
FIELD_NAMES = {
    "at": "time",
    "training_at": "training started",
    "signal_to_noise": "speech above the noise",
    "seconds": "length",
}


def name_field(field: Any, names: Mapping[str, str]) -> str:
    """The heading of a field: “created at” → “created”, “is silent” → “silent”. `names` has those of one model."""
    name = str(getattr(field, "name", ""))
    known = names.get(name) or FIELD_NAMES.get(name)
    return known or str(field.verbose_name).removesuffix(" at").removeprefix("is ").removeprefix("has ")


def is_technical(field: "models.Field[Any, Any]") -> bool:
    return field.name in TECHNICAL_FIELDS or is_hash(field)


def is_hidden(field: "models.Field[Any, Any]") -> bool:
    is_secret = field.name in HIDDEN_FIELDS or field.name.endswith("_digest")
    return is_secret or field.primary_key or isinstance(field, models.FileField)


@dataclass(frozen=True)
class Column:
    """Shows one field of a row. The admin calls it with the row, and takes the heading and the order from it.

    In a list, a long text is cut. Without `is_linked`, a related row is no link, as in a column that is a link itself.
    """

    field: Any
    format: Format | None = None
    heading: str = ""
    is_in_list: bool = False
    is_linked: bool = True
    do_not_call_in_templates: ClassVar = True  # the heading of a table has its name as a class

    @property
    def __name__(self) -> str:
        return str(self.field.name)

    def __str__(self) -> str:
        return str(self.field.name)

    @property
    def short_description(self) -> str:
        return self.heading or name_field(self.field, {})

    @property
    def admin_order_field(self) -> str | None:
        is_sortable = not isinstance(self.field, models.JSONField) and not self.field.many_to_many
        return str(self.field.name) if is_sortable else None

    def __call__(self, row: Any) -> SafeString | str:
        if self.field.many_to_many:
            return self._show_all(getattr(row, self.field.name))
        value = getattr(row, self.field.name)
        if self.field.is_relation:
            return self._show_related(value)
        if value is None or value == "":
            return EMPTY
        if self.field.choices:
            label = str(dict(self.field.flatchoices).get(value, value))
            return render_mark(get_tone(value), label) if self.field.name == "status" else label
        shown = (self.format or find_format(self.field))(value)
        is_plain = self.is_in_list and not hasattr(shown, "__html__")
        return Truncator(shown).chars(MAX_CHARACTERS) if is_plain else shown

    def _show_related(self, related: Any) -> SafeString | str:
        if related is None:
            return EMPTY
        url = find_admin_url(related) if self.is_linked else ""
        return format_html('<a href="{}">{}</a>', url, related) if url else str(related)

    def _show_all(self, rows: Any) -> SafeString | str:
        shown = [(self._show_related(row),) for row in rows.select_related()[:MAX_RELATED]]
        return format_html_join(", ", "{}", shown) or EMPTY


def find_admin_url(row: models.Model) -> str:
    """The address of the row's page in the admin, or an empty string if the admin does not have the model."""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])
    except NoReverseMatch:
        return ""
