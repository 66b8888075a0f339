"""The answers of staff on builds whose outcome VoiceHub cannot tell."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.refusals import show_refusal_as_message
from voices import access
from voices.account_forms import show_errors
from voices.forms import ResolveSubmitForm, ResolveTrainingForm
from voices.models import Build
from voices.services.builds.reconcile import resolve_submit_manually, resolve_training_manually
from voices.views.build_page import make_build_context
from voices.work_progress import load_build_progress


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_resolve_submit(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the answer of staff on a build that VoiceHub's lookup at the provider did not find."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    form = ResolveSubmitForm(request.POST)
    if not form.is_valid():
        return ask_again(request, build, form, "exists")
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
        return ask_again(request, build, form, "became")
    resolve_training_manually(build, get_user(request), form.cleaned_data["became"], form.cleaned_data["why"])
    messages.success(request, "Saved. The build is finished.")
    return redirect(build)


def ask_again(request: HttpRequest, build: Build, form: forms.Form, choice: str) -> HttpResponse:
    """The page of the build, with what is missing in the answer. What was entered stays in its fields."""
    show_errors(request, form)
    answer = {
        "choice": form.data.get(choice),
        "remote_id": form.data.get("remote_id", ""),
        "why": form.data.get("why", ""),
    }
    context = make_build_context(request, build, load_build_progress(build)) | {"answer": answer}
    return render(request, "voices/build.html", context, status=400)
