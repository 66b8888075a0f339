"""The list of accounts: its columns, filters and order."""

from collections.abc import Sequence

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.template.defaultfilters import truncatechars
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from providers import registry
from voicehub.folding import Fold
from voicehub.lists.filters import Choice, ChoiceFilter, ListFilter, ValueFilter
from voicehub.lists.tables import ListColumn, ListTable
from voicehub.row_counts import count_rows
from voicehub.status_marks import render_mark
from voicehub.templatetags.cells import render_lines, render_link, render_moment, render_step
from voices.models import Account, AccountMode, RemoteVoice
from voices.next_fixes import make_pause_fix
from voices.presenters import make_account_badge

REASON_LENGTH = 120
IS_PAUSED = Q(paused_at__isnull=False)
IS_REFUSED = ~IS_PAUSED & ~Q(last_error="")
IS_WORKING = ~IS_PAUSED & Q(last_error="", checked_at__isnull=False)
IS_UNTESTED = ~IS_PAUSED & Q(last_error="", checked_at__isnull=True)


def list_account_views() -> list[Choice]:
    return [
        Choice("refused", "Not working", IS_REFUSED),
        Choice("paused", "Paused", IS_PAUSED),
        Choice("untested", "Not tested", IS_UNTESTED),
        Choice("working", "Working", IS_WORKING),
    ]


def rank_state() -> Combinable:
    """Accounts that do not work first."""
    return Case(*(When(choice.condition, then=Value(rank)) for rank, choice in enumerate(list_account_views())))


def _query_present_voices() -> QuerySet[RemoteVoice]:
    return RemoteVoice.objects.filter(deleted_at=None).exclude(remote_id="").order_by()


def count_voices() -> Combinable:
    return count_rows(_query_present_voices().filter(account=OuterRef("pk")))


def get_mode_label(mode: str) -> str:
    return AccountMode(mode).label if mode in AccountMode.values else mode


class AccountFilter(ListFilter):
    search_fields = {"name": ""}
    search_label = "Account"
    shows_empty_tabs = False
    show = ChoiceFilter("State", list_account_views)
    provider = ValueFilter("Provider", "provider", registry.get_provider_label)
    mode = ValueFilter("Mode", "mode", get_mode_label)


class AccountTable(ListTable):
    default_sort = "state"

    name = ListColumn("Account", lambda: Fold("name"), css_class="two")
    provider = ListColumn("Provider", "provider", lambda: Fold("name"), css_class="only-desk")
    mode = ListColumn("Mode", "mode", css_class="only-wide")
    voices = ListColumn("Voices", count_voices, css_class="num only-wide", is_descending_first=True)
    state = ListColumn("State", rank_state, css_class="two wrap")
    checked = ListColumn("Last test", "checked_at", css_class="only-wide", is_descending_first=True)
    next_step = ListColumn("Next step", css_class="step", permission="voices.test_account")

    def load_rows(self, records: Sequence[Account]) -> None:
        rows = _query_present_voices().filter(account__in=records).values_list("account")
        self.voice_counts = dict(rows.annotate(Count("pk")))
        if "next_step" in self.columns and not any(map(self._find_step, records)):
            self.columns.hide("next_step")

    def render_name(self, record: Account) -> SafeString:
        link = render_link(reverse("voices:account", args=[record.pk]), record.name)
        place = f"{registry.get_provider_label(record.provider)}, {get_mode_label(record.mode)}"
        return render_lines(render_lines(link, place, "only-phone"), _describe_key(record), "only-desk")

    def render_provider(self, record: Account) -> str:
        return registry.get_provider_label(record.provider)

    def render_mode(self, record: Account) -> str:
        return get_mode_label(record.mode)

    def render_voices(self, record: Account) -> str:
        return str(self.voice_counts.get(record.pk, 0))

    def render_state(self, record: Account) -> SafeString:
        badge = make_account_badge(record)
        reason = record.pause_reason if record.paused_at else record.last_error
        return render_lines(render_mark(badge.severity, badge.label), _shorten(reason))

    def render_checked(self, record: Account) -> SafeString | str:
        return render_moment(record.checked_at) or "Never"

    def render_next_step(self, record: Account) -> SafeString | str:
        step = self._find_step(record)
        return render_step(*step, record.name) if step else ""

    def _find_step(self, record: Account) -> tuple[str, str] | None:
        """The link to the next step of this user, and its label."""
        url = reverse("voices:account", args=[record.pk])
        if record.provider not in registry.PROVIDERS:
            return None
        if record.paused_at:
            fix = make_pause_fix(record)
            return (fix.url, fix.action) if fix.is_allowed_for(self.user) else None
        return (url, "Test the key") if record.checked_at is None or record.last_error else None


def _shorten(reason: str) -> str:
    return truncatechars(reason, REASON_LENGTH)


def _describe_key(account: Account) -> SafeString | str:
    if account.key_hint:
        return format_html('key ends in <span class="hash">{}</span>', account.key_hint)
    return "key set" if account.encrypted_key else "no key"
