"""The page on which staff choose the mails about their own work."""

from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from voicehub.models import User


class NotificationForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["mails_build_ready", "mails_build_needs_work", "mails_account_paused", "mails_voice_public"]
        help_texts = {
            "mails_build_ready": "A build that you started has ended, and the voice can be used.",
            "mails_build_needs_work": "A build that you started failed, has recordings to fix, or needs your answer.",
            "mails_account_paused": "Your builds wait for a paused account, or you may resume it.",
            "mails_voice_public": "The provider shows a voice of yours to everyone, but no user made it public.",
        }


@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """The mails that the signed-in user gets."""
    user = cast(User, request.user)
    form = NotificationForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("notifications")
    return render(request, "notifications.html", {"form": form, "address": user.email})
