"""The choice of the language on the talent's pages."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from consent.access import get_user
from consent.link_pages import require_invitation
from consent.models import Invitation
from consent.services.talent_languages import change_language
from voicehub.refusals import handle_refusal


@login_not_required
@require_POST
@require_invitation
def choose_language(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Store the language in the talent's record, then go back to the page with the choice."""
    by = get_user(request) if request.user.is_authenticated else None
    with handle_refusal(partial(messages.error, request)):
        change_language(invitation.talent, request.POST.get("language", ""), by)
    return redirect(_find_page(request, invitation))


def _find_page(request: HttpRequest, invitation: Invitation) -> str:
    """The page of this invitation that has sent the form, or the first one."""
    home_url, page = reverse("invitation:home", args=[invitation.pk]), request.POST.get("page", "")
    is_own = page.startswith(home_url) and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_own else home_url
