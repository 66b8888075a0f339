"""The answers of staff on builds whose outcome VoiceHub cannot tell."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.refusals import show_refusal_as_message
from voices import access
from voices.account_forms import show_errors
from voices.forms import ResolveSubmitForm, ResolveTrainingForm
from voices.services.builds.reconcile import resolve_submit_manually, resolve_training_manually


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_resolve_submit(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the answer of staff on a build that VoiceHub's lookup at the provider did not find."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    form = ResolveSubmitForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(build)
    data = form.cleaned_data
    resolve_submit_manually(build, get_user(request), form.confirmed_id, data["why"], pending_call=data["step"])
    messages.success(request, "Saved. The build continues from there.")
    return redirect(build)


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_resolve_training(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the answer of staff on a build whose provider status VoiceHub does not recognize."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    form = ResolveTrainingForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(build)
    resolve_training_manually(build, get_user(request), form.cleaned_data["became"], form.cleaned_data["why"])
    messages.success(request, "Saved. The build is finished.")
    return redirect(build)
