"""The page behind "this was not me" in a mail about a decline or a withdrawal, without an account.

A GET, which mail scanners send too, changes nothing. The URL contains the token, so the page sends no referrer. The
CSRF check needs one, but without the token, which no other page knows, there is nothing to protect.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from consent.access import find_disputable_mail, get_user
from consent.services.contacts import get_producer_address
from consent.services.disputes import report_act
from consent.services.talent_languages import speak_to, speak_to_browser
from consent.services.talent_mails import find_reported_event
from voicehub.tokens import hash_token


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """Show what was recorded, and record the report."""
    response = _respond(request, token)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _respond(request: HttpRequest, token: str) -> HttpResponse:
    mail = find_disputable_mail(hash_token(token))
    if mail is None:
        with speak_to_browser(request):
            return render(request, "public/link_expired.html", status=404)
    if request.method == "POST":
        report_act(mail, get_user(request) if request.user.is_authenticated else None)
        return redirect("invitation:report", token)
    context = {
        "mail": mail,
        "consent": mail.consent,
        "event": find_reported_event(mail),
        "contact_name": str(mail.consent.requested_by),
        "contact_mail": get_producer_address(mail.consent),
    }
    with speak_to(mail.consent.talent):
        return render(request, "public/report.html", context)
