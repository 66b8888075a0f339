"""The page on which a talent asks a question, behind the private link."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from consent.access import get_user, query_invited_consents
from consent.link_forms import QuestionForm
from consent.link_pages import add_privacy_headers, render_closed_page, require_invitation
from consent.models import Invitation
from consent.services.contacts import get_producer_address
from consent.services.questions import ask_question
from voicehub.refusals import ActionRefused


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@require_invitation
def ask(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The form of the question. What was typed stays if there is a problem."""
    consent = query_invited_consents(invitation).first()
    if consent is None:
        return render_closed_page(request)
    form = QuestionForm(request.POST if request.method == "POST" else None)
    problem = ""
    if form.is_valid():
        by = get_user(request) if request.user.is_authenticated else None
        try:
            ask_question(invitation, consent, form.cleaned_data["text"], by)
        except ActionRefused as refusal:
            problem = str(refusal)
        else:
            messages.success(request, gettext("Your question was sent. The answer will be shown on this page."))
            return redirect("invitation:home", invitation.pk)
    problem = problem or str(next(iter(form.errors.get("text", [])), ""))
    context = {
        "invitation": invitation,
        "text": form["text"].value() or "",
        "problem": problem,
        "contact_name": str(consent.requested_by),
        "contact_mail": get_producer_address(consent),
    }
    return add_privacy_headers(render(request, "public/question.html", context, status=422 if problem else 200))
