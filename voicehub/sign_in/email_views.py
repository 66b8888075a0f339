"""The pages on which people change their own email address."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from voicehub.confirmation import require_confirmation
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.sign_in.emails import confirm_new_email, find_new_email, request_new_email
from voicehub.sign_in.forms import EmailForm

NO_MAIL_SERVER = "This studio has no mail server to confirm a new address. An admin changes it for you."


@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation(on_get=True)
def change_email(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if not settings.MAIL:
        messages.error(request, NO_MAIL_SERVER)
        return redirect("profile")
    form = EmailForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        email = form.cleaned_data["email"]
        request_new_email(user, email, request)
        messages.success(request, f"Open the link in the mail to {email}. Until then your address stays as it is.")
        return redirect("profile")
    return render(request, "staff/change_email.html", {"form": form})


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the link in the mail. Only its button changes the address: programs open links in mails too."""
    try:
        if request.method == "POST":
            return render(request, "staff/confirm_email.html", {"changed": confirm_new_email(token, request)})
        user, email = find_new_email(token)
    except ActionRefused as refusal:
        return render(request, "staff/confirm_email.html", {"refusal": refusal}, status=410)
    return render(request, "staff/confirm_email.html", {"person": user, "email": email})
