"""Talents: the list, and the page of one talent."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_talent_or_404, get_user, list_recent_events, require_permission
from consent.extension_points import TalentStep, find_first_steps
from consent.forms import TalentForm
from consent.link_forms import TalentEditForm
from consent.lists.talent_marks import list_talent_facts, load_contract_states
from consent.lists.talents import TalentFilter, TalentTable, query_talents
from consent.models import ConsentStatus, Talent
from consent.names import VIEW_CONTACTS, VIEW_NAMES
from consent.recent_activity import list_activity
from consent.services.consent_requests import list_unsent_requests
from consent.services.legal_hold import release_hold, set_hold
from consent.services.open_requests import BulkResult, resend_many
from consent.services.talent_details import DetailsChange, change_talent, has_mailed_link
from consent.services.voice_comparison import load_comparison
from consent.talent_progress import ContractState, find_furthest_consent, list_steps
from consent.views.reasons import make_reason_view
from voicehub.lists.pages import load_list, load_part
from voicehub.models import User
from voicehub.text import format_count

RECENT_EVENTS = 40
SHOWN_ACTIVITY = 6


@require_permission("consent.view_talent")
@require_safe
def talent_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, query_talents(), TalentTable, TalentFilter)
    return render(request, "consent/talent_list.html", {"list": listing})


@require_permission("consent.add_talent")
@require_http_methods(["GET", "HEAD", "POST"])
def talent_add(request: HttpRequest) -> HttpResponse:
    form = TalentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.created_by = get_user(request)
        talent = form.save()
        messages.success(request, f"{talent.shown_name} was added.")
        return redirect(talent)
    return render(request, "consent/talent_form.html", {"form": form})


@require_permission("consent.view_talent")
@require_safe
def talent_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = get_talent_or_404(pk)
    current = talent.contracts.current().read_suspension_reasons()
    in_force = [pk for pk, suspension in current.items() if suspension is None]
    suspended = [pk for pk in current if pk not in in_force]
    consents = load_part(request, talent.consents.select_related("replaced_by"), "consents")
    has_languages = len({consent.language for consent in consents}) > 1
    contracts = load_part(request, talent.contracts.select_related("filed_by"), "contracts")
    furthest, ends = find_furthest_consent(talent), load_contract_states([talent]).get(talent.pk)
    contract_state = ContractState(in_force, suspended, contracts.paginator.count, ends.ends_on if ends else None)
    user = get_user(request)
    first_step, contract_url = _find_first_step(talent, user), reverse("consent:contract_add", args=[talent.pk])
    context = {
        "talent": talent,
        "steps": list_steps(talent, contract_state, furthest, user),
        "first_step": first_step,
        "is_contract_next": first_step is not None and first_step.url.startswith(contract_url),
        "consents": consents,
        "has_languages": has_languages,
        "contracts": contracts,
        "unsent_count": len(list_unsent_requests(talent)),
        "in_force": in_force,
        "suspended": suspended,
        "ready_for_voice": in_force and furthest and furthest.status == ConsentStatus.APPROVED,
        "activity": list_activity(talent, list_recent_events(talent, RECENT_EVENTS))[:SHOWN_ACTIVITY],
        "comparison": load_comparison(talent),
    }
    return render(request, "consent/talent.html", context)


def _find_first_step(talent: Talent, user: User) -> TalentStep | None:
    """The next step, unless it is to add a voice: the page asks for one when consent and contract are in force."""
    step = find_first_steps([talent.pk], user).get(talent.pk)
    return step if step and step.url != reverse("voices:voice_add", args=[talent.pk]) else None


@require_permission("consent.change_talent", VIEW_NAMES, VIEW_CONTACTS)
@require_http_methods(["GET", "HEAD", "POST"])
def talent_edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent, user = get_talent_or_404(pk), get_user(request)
    with transaction.atomic():
        form = _make_edit_form(request, pk)
        if request.method == "POST" and form.is_valid():
            values = {name: form.cleaned_data[name] for name in TalentEditForm.Meta.fields}
            change = change_talent(talent, values, user)
            _report_change(request, change, is_link_wanted=bool(form.cleaned_data.get("send_link")))
            return redirect(talent)
    status = 409 if form.has_conflict else 200
    context = {"form": form, "talent": talent, "facts": list(list_talent_facts(talent, user))}
    return render(request, "consent/talent_form.html", context, status=status)


def _make_edit_form(request: HttpRequest, pk: UUID) -> TalentEditForm:
    row = Talent.objects.select_for_update().get(pk=pk) if request.method == "POST" else get_talent_or_404(pk)
    stored = model_to_dict(row, TalentEditForm.Meta.fields)
    form = TalentEditForm(request.POST or None, instance=row)
    form.offer_link(is_offered=get_user(request).has_perm("consent.invite_talent") and has_mailed_link(row))
    form.track_version(stored)
    return form


def _report_change(request: HttpRequest, change: DetailsChange, *, is_link_wanted: bool) -> None:
    """Say what was saved, who gets a mail about it, and what became of the private links."""
    address = change.informed_address
    informed = f" {address} is informed about the change." if address else ""
    messages.success(request, f"Saved.{informed}")
    if change.resent:
        count = format_count(change.resent, "mail that was refused is", "mails that were refused are")
        messages.success(request, f"{count} sent to the new address.")
    if not change.without_link:
        return
    result = resend_many(change.without_link, get_user(request)) if is_link_wanted else BulkResult()
    if result.done:
        messages.success(request, "A new private link is being sent. The earlier ones no longer work.")
    for reason in result.refused:
        messages.warning(request, f"No new private link was sent. {reason}")
    if not is_link_wanted:
        text = "The private links that were mailed to the earlier address no longer work. Send a new one."
        messages.warning(request, text)


hold_set = make_reason_view(get_talent_or_404, set_hold, "The legal hold is set. Nothing of this talent is deleted.")
hold_release = make_reason_view(
    get_talent_or_404, release_hold, "The legal hold is released. Deletions that waited go on now.", is_confirmed=True
)
