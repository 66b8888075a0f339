"""The proofs of a consent that were sent to a provider by mail: list, add, confirm, download."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from consent.models import Consent
from consent.names import VIEW_NAMES
from consent.services.file_access import send_recorded
from voicehub.media import send_file
from voicehub.refusals import handle_refusal, show_refusal_as_message
from voices import access
from voices.account_forms import OfflineProofForm, ProofConfirmationForm, show_errors
from voices.models import OfflineProof
from voices.services.builds.offline_proof import (
    confirm_proof,
    list_proof_accounts,
    provider_requires_proof,
    record_proof,
)
from voices.services.builds.proof_files import SUFFIXES
from voices.services.file_access import describe_proof


@require_permission("voices.view_offlineproof")
@require_safe
def voice_proof(request: HttpRequest, pk: str) -> HttpResponse:
    """Redirect from a voice to the proofs of the consent that it is built on."""
    voice = get_object_or_404(access.query_voices(), pk=pk)
    consents = Consent.objects.in_force_or_suspended().filter(talent=voice.talent_id, purpose=voice.purpose)
    consent = next((row for row in consents if provider_requires_proof(row.provider)), None)
    if consent is None:
        messages.error(request, "No consent for such a provider is in force. Approve one first.")
        return redirect(voice)
    return redirect(f"{reverse('voices:offline_proof', args=[consent.pk])}?voice={voice.pk}")


def _get_consent_or_404(pk: str) -> Consent:
    return get_object_or_404(Consent.objects.select_related("talent"), pk=pk)


@require_permission("voices.view_offlineproof")
@require_safe
def offline_proof(request: HttpRequest, pk: str) -> HttpResponse:
    return _render_page(request, _get_consent_or_404(pk))


def _render_page(request: HttpRequest, consent: Consent, form: OfflineProofForm | None = None) -> HttpResponse:
    accounts = list_proof_accounts(consent)
    initial = {"sent_by": str(request.user)}
    can_add = accounts and Consent.objects.in_force_or_suspended().filter(pk=consent.pk).exists()
    context = {
        "consent": consent,
        "voice": access.query_voices().filter(talent=consent.talent_id, purpose=consent.purpose).first(),
        "proofs": access.query_offline_proofs(consent),
        "form": form or (OfflineProofForm(consent, initial=initial) if can_add else None),
        "has_accounts": bool(accounts),
    }
    return render(request, "voices/offline_proof.html", context)


@require_permission("voices.add_offlineproof")
@require_POST
@show_refusal_as_message("voices:offline_proof")
def offline_proof_add(request: HttpRequest, pk: str) -> HttpResponse:
    consent = _get_consent_or_404(pk)
    form = OfflineProofForm(consent, request.POST, request.FILES)
    if not form.is_valid():
        return _render_page(request, consent, form)
    data = form.cleaned_data
    record_proof(consent, data["account"], data["file"], form.checked, form.details, get_user(request))
    messages.success(request, "The proof is recorded.")
    for warning in form.checked.warnings:
        messages.warning(request, f"{warning.text} {warning.advice}")
    return redirect("voices:offline_proof", consent.pk)


@require_permission("voices.add_offlineproof")
@require_POST
def offline_proof_confirm(request: HttpRequest, pk: str) -> HttpResponse:
    """Record that the provider accepted the proof."""
    proof, form = get_object_or_404(OfflineProof, pk=pk), ProofConfirmationForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
    else:
        with handle_refusal(lambda reason: messages.error(request, reason)):
            confirm_proof(proof, form.cleaned_data["confirmed_on"], get_user(request))
            messages.success(request, "The confirmation is recorded.")
    return redirect("voices:offline_proof", proof.consent_id)


@require_permission("voices.view_offlineproof", VIEW_NAMES)
@require_safe
def offline_proof_file(request: HttpRequest, pk: str) -> HttpResponseBase:
    """The document, always as a download and never inline, because a PDF can contain scripts."""
    proof = get_object_or_404(OfflineProof.objects.select_related("consent__talent"), pk=pk)
    suffix = SUFFIXES.get(proof.content_type, "bin")
    name = f"proof-{slugify(proof.consent.talent.shown_name) or 'talent'}-{proof.sent_on:%Y-%m-%d}.{suffix}"
    response = send_file(request, proof.file, proof.content_type, name, attachment=True)
    return send_recorded(request, describe_proof(proof), response)
