"""Contracts: filing the PDF with its terms, viewing filed contracts, and suspending them."""

from uuid import UUID

from csp.decorators import csp_update
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import (
    get_contract_draft_or_404,
    get_contract_or_404,
    get_talent_or_404,
    get_user,
    list_suspensions,
    require_permission,
)
from consent.contract_download import send_contract
from consent.forms import DRAFT_LOST, ConfirmTermsForm, ContractForm
from consent.labels import get_purpose_label
from consent.models import Contract, ContractDraft, Talent
from consent.names import READ_CONTRACT
from consent.presenters import list_confirmations
from consent.services.contract_drafts import delete_drafts, find_draft, store_draft
from consent.services.contract_rules import list_contract_warnings
from consent.services.contracts import confirm_terms, file_contract, resume_contract, suspend_contract
from consent.services.evidence_checks import check_contract_file
from consent.services.file_access import describe_draft, send_recorded
from consent.views.reasons import make_reason_view
from voicehub.refusals import ActionRefused, show_refusal_as_message
from voicehub.storage import StorageUnavailable, open_stored_file


@require_permission("consent.add_contract")
@require_http_methods(["GET", "HEAD", "POST"])
@csp_update({"frame-src": ["blob:"]})  # the browser shows the chosen PDF in a frame
@show_refusal_as_message("consent:talent")
def contract_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = get_talent_or_404(pk)
    # A link from another page proposes what is missing.
    proposed = {"providers": request.GET.getlist("provider"), "purposes": request.GET.getlist("purpose")}
    draft = find_draft(request.POST.get("draft", ""), talent, get_user(request))
    form = ContractForm(talent, request.POST or None, request.FILES or None, initial=proposed, draft=draft)
    if request.method == "POST":
        if form.is_valid():
            return redirect(_file_contract(request, talent, form))
        _keep_file(request, talent, form)
    return render(request, "consent/contract_form.html", {"form": form, "talent": talent})


def _file_contract(request: HttpRequest, talent: Talent, form: ContractForm) -> Contract:
    data = form.cleaned_data
    contract = file_contract(
        talent,
        data["file"],
        form.get_terms(),
        get_user(request),
        are_uses_read=data["are_uses_read"],
        warnings=form.file_warnings,
        draft=None if form.new_file else form.draft,
    )
    if form.new_file and form.draft:
        delete_drafts(ContractDraft.objects.filter(pk=form.draft.pk))
    messages.success(request, "The contract was filed.")
    for warning in form.file_warnings:
        messages.warning(request, f"{warning.text} {warning.advice}")
    return contract


def _keep_file(request: HttpRequest, talent: Talent, form: ContractForm) -> None:
    """Keep the file of a form with an error elsewhere, so that the person need not choose it again."""
    if new := form.new_file:
        form.set_draft(store_draft(talent, new, get_user(request)))
        if form.draft is None:
            form.add_error("file", "The file could not be kept. Choose it again.")
    elif request.POST.get("draft") and form.draft is None and "file" in form.errors:
        form.errors["file"] = form.error_class([DRAFT_LOST], renderer=form.renderer)


@require_permission("consent.add_contract")
@require_safe
def contract_draft(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The kept PDF, for the person who uploaded it. It comes from this server, so that a script may read it."""
    draft = get_contract_draft_or_404(pk, get_user(request))
    file = open_stored_file(draft.file)
    response = FileResponse(file, as_attachment=True, filename="contract.pdf", content_type="application/pdf")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return send_recorded(request, describe_draft(draft), response)


@require_permission(READ_CONTRACT)
@require_safe
def contract_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _render_contract_page(request, get_contract_or_404(pk))


def _render_contract_page(
    request: HttpRequest, contract: Contract, form: ConfirmTermsForm | None = None
) -> HttpResponse:
    form = form or ConfirmTermsForm(contract)
    confirmations = list(contract.confirmations.select_related("confirmed_by"))
    confirmed = {row.purpose for row in confirmations}
    suspensions = list_suspensions(contract)
    context = {
        "contract": contract,
        "replaced_by": getattr(contract, "superseded_by", None),
        "is_in_force": contract.is_in_force,
        "suspensions": suspensions,
        "open_suspension": next((one for one in suspensions if one.resumed_at is None), None),
        "file_warnings": contract.file_warnings,
        "purposes": [(get_purpose_label(purpose), purpose in confirmed) for purpose in contract.purposes],
        "confirmations": list_confirmations(contract, confirmations),
        "warnings": list_contract_warnings(contract),
        "confirm_form": form if form.fields else None,
    }
    return render(request, "consent/contract.html", context)


@require_permission("consent.add_contract", READ_CONTRACT)
@require_http_methods(["GET", "HEAD", "POST"])
@show_refusal_as_message("consent:contract")
def contract_confirm(request: HttpRequest, pk: UUID) -> HttpResponse:
    contract = get_contract_or_404(pk)
    if request.method != "POST":
        return redirect(f"{contract.get_absolute_url()}#confirm")
    form = ConfirmTermsForm(contract, request.POST)
    if not form.fields:
        raise ActionRefused("All terms are already confirmed.")
    if not form.is_valid():
        return _render_contract_page(request, contract, form)
    confirm_terms(contract, get_user(request), **form.cleaned_data)
    messages.success(request, "The terms are confirmed.")
    return redirect(contract)


@require_permission("consent.review_consent", READ_CONTRACT)
@require_POST
@show_refusal_as_message("consent:contract")
def check_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Compare the stored file with its hash now, for example after a restore from the backup."""
    contract = get_contract_or_404(pk)
    try:
        problem = check_contract_file(contract)
    except StorageUnavailable:
        raise ActionRefused("The file storage does not respond. Check again in a few minutes.") from None
    if problem:
        raise ActionRefused(f"{problem} Ask an admin to restore it from the backup.")
    messages.success(request, "The file is the one that was filed.")
    return redirect(contract)


@require_permission(READ_CONTRACT)
@require_safe
def contract_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    contract = get_contract_or_404(pk)
    return send_contract(request, contract, contract.talent.shown_name)


contract_suspend = make_reason_view(
    get_contract_or_404,
    suspend_contract,
    "Contract suspended. The voices that depend on it cannot be used until you resume it.",
)
contract_resume = make_reason_view(get_contract_or_404, resume_contract, "Contract resumed.")
