"""The page of a build, and the actions on it: start, rebuild, cancel."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from providers import registry
from voicehub.refusals import show_refusal_as_message
from voicehub.text import format_count
from voices import access
from voices.forms import BuildForm, read_options
from voices.models import Account
from voices.presenters import compute_change_token
from voices.services.builds.rebuild import rebuild_without_marked
from voices.services.builds.start import cancel_build, start_build
from voices.views.build_page import get_open_build, load_details, make_build_context
from voices.work_progress import load_build_progress


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:readiness")
def build_start(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    form = BuildForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The build was not started. Choose the account and the kind of build again.")
        return redirect(voice.get_readiness_url())
    account = get_object_or_404(Account, pk=form.cleaned_data["account"])
    tier, handover, new_voice = (form.cleaned_data[name] for name in ("tier", "handover", "new_voice"))
    if account.provider not in registry.PROVIDERS or tier not in registry.get_provider_class(account.provider).tiers:
        raise Http404
    options = read_options(request.POST)
    build = start_build(voice, account, tier, handover, get_user(request), options, new_voice=new_voice == "yes")
    return redirect(build)


@require_permission("voices.view_build")
@require_safe
def build_detail(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.query_builds(), pk=pk)
    context = make_build_context(request, build, load_build_progress(build))
    if context.get("has_details") and request.GET.get("details") == "show":
        context |= load_details(build)
    return render(request, "voices/build.html", context)


@require_permission("voices.view_build")
@require_safe
def build_details(request: HttpRequest, pk: str) -> HttpResponse:
    """The distributions, and the changes since the build before, which the page of an ended build loads."""
    build = get_open_build(request, pk)
    if build.is_active:
        raise Http404("The build is still in progress.")
    return render(request, "voices/_build_details.html", {"build": build, "is_fragment": True, **load_details(build)})


@require_permission("voices.view_build")
@require_safe
def build_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """The progress of an active build. Returns 204 if the page is up to date.

    If anything else of the page moved, or the build ended, the page gets everything about the build.
    """
    build = get_object_or_404(access.query_builds(), pk=pk)
    progress = load_build_progress(build)
    if progress and request.GET.get("seen") == compute_change_token(build, progress):
        return HttpResponse(status=204)
    context = make_build_context(request, build, progress)
    if build.is_active and request.GET.get("rest") == context["rest_token"]:
        return render(request, "voices/_build_progress.html", context)
    return retarget(render(request, "voices/_build.html", context | {"is_fragment": True}), "#build")


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_cancel(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.query_builds(), pk=pk)
    cancel_build(build, get_user(request))
    messages.success(request, "Build canceled. Nothing was sent to the provider.")
    return redirect(build)


@require_permission("voices.start_build")
@require_permission("voices.change_recording")
@require_POST
@show_refusal_as_message("voices:build")
def build_rebuild(request: HttpRequest, pk: str) -> HttpResponse:
    """Exclude the recordings that the provider flagged, and start the build again."""
    build = get_open_build(request, pk)
    rebuild = rebuild_without_marked(build, get_user(request), new_voice=request.POST.get("new_voice") == "yes")
    if rebuild.left_out_count:
        count = format_count(rebuild.left_out_count, "recording was excluded", "recordings were excluded")
        messages.success(request, f"{count}, and this build was started.")
    else:
        messages.info(request, "This build had already been started. Nothing was started again.")
    return redirect(rebuild.build)
