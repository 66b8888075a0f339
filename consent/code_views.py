"""The page that asks for a one-time code, before the pages of a private link that need one."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from consent.access import query_invited_consents
from consent.code_gate import is_code_missing, remember_browser
from consent.link_forms import CodeForm
from consent.link_pages import add_privacy_headers, require_invitation
from consent.models import Invitation
from consent.services.access_codes import find_code_address, has_open_code, request_code, use_code
from consent.services.contacts import get_producer_address
from voicehub.refusals import ActionRefused


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@require_invitation
def enter_code(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Mail a code when the talent asks for it, and check the one that is entered.

    A GET sends none: mail scanners follow links too.
    """
    page = _find_page(request, invitation)
    if not is_code_missing(request, invitation):
        return redirect(page)
    if request.method != "POST":
        return _render_page(request, invitation, page)
    if "send" in request.POST:
        return _send(request, invitation, page)
    form = CodeForm(request.POST)
    if form.is_valid() and use_code(invitation, form.cleaned_data["code"]):
        response = redirect(page)
        remember_browser(response, invitation)
        return response
    problem = gettext(
        "This code is wrong or no longer works. Enter the code from the newest mail, or request another one."
    )
    return _render_page(request, invitation, page, problem, status=422)


def _send(request: HttpRequest, invitation: Invitation, page: str) -> HttpResponse:
    try:
        request_code(invitation)
    except ActionRefused as refusal:
        return _render_page(request, invitation, page, str(refusal), status=429)
    return _render_page(request, invitation, page)


def _render_page(
    request: HttpRequest, invitation: Invitation, page: str, problem: str = "", status: int = 200
) -> HttpResponse:
    consent = query_invited_consents(invitation).first()
    context = {
        "invitation": invitation,
        "address": _mask_address(find_code_address(invitation)),
        "is_sent": has_open_code(invitation),
        "next_page": page,
        "problem": problem,
        "contact_name": str(consent.requested_by) if consent else "",
        "contact_mail": get_producer_address(consent) if consent else "",
    }
    return add_privacy_headers(render(request, "public/code.html", context, status=status))


def _mask_address(address: str) -> str:
    """“t…a@people.test”: enough for its owner to know it."""
    name, _, host = address.partition("@")
    return f"{name[:1]}…{name[-1:] if len(name) > 2 else ''}@{host}"


def _find_page(request: HttpRequest, invitation: Invitation) -> str:
    """The page of this invitation to go on to, or the first one."""
    home_url = reverse("invitation:home", args=[invitation.pk])
    page = request.POST.get("next") or request.GET.get("next", "")
    is_own = page.startswith(home_url) and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_own else home_url
