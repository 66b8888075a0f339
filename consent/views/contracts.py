"""Contracts: filing the PDF with its terms, and viewing filed contracts."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from consent.access import get_contract_or_404, get_talent_or_404, get_user, require_permission
from consent.forms import ContractForm
from consent.services.contracts import file_contract
from voicehub.media import send_file


@require_permission("consent.add_contract")
@require_http_methods(["GET", "HEAD", "POST"])
def contract_add(request: HttpRequest, pk: UUID) -> HttpResponse:
    talent = get_talent_or_404(pk)
    form = ContractForm(talent, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        contract = file_contract(talent, form.cleaned_data["file"], form.get_terms(), get_user(request))
        messages.success(request, "The contract was filed.")
        return redirect(contract)
    return render(request, "consent/contract_form.html", {"form": form, "talent": talent})


@require_permission("consent.view_contract")
@require_safe
def contract_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    contract = get_contract_or_404(pk)
    replaced_by = getattr(contract, "superseded_by", None)
    return render(request, "consent/contract.html", {"contract": contract, "replaced_by": replaced_by})


@require_permission("consent.view_contract")
@require_safe
def contract_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The PDF, always as a download and never inline, because a PDF can contain scripts."""
    contract = get_contract_or_404(pk)
    name = f"contract-{slugify(contract.talent.name) or 'talent'}-{contract.signed_on:%Y-%m-%d}.pdf"
    return send_file(request, contract.file, "application/pdf", name, attachment=True)
