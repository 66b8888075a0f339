"""Pages of staff about their own access. The flows are django-allauth's."""

from typing import Any, cast

from allauth.account.views import LoginView, LogoutView
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from voicehub.models import SecurityEvent, SecurityEventKind, User
from voicehub.security_log import record_security_event
from voicehub.security_words import describe_event
from voicehub.sign_in.adapters import TOO_MANY_ATTEMPTS
from voicehub.sign_in.forms import NameForm
from voicehub.sign_in.limits import WINDOW
from voicehub.sign_in.oidc import PROVIDER, has_factor_of_provider, is_configured
from voicehub.sign_in.second_factor import lacks_factor
from voicehub.sign_in.sessions import end_sessions, find_sessions, hash_key

SHOWN_EVENTS = 20
CLEARED_AT_SIGN_OUT = '"cache", "storage"'


class SignInView(LoginView):
    def form_invalid(self, form: BaseForm) -> HttpResponse:
        if not form.has_error("__all__", TOO_MANY_ATTEMPTS):
            return super().form_invalid(form)
        wait = int(WINDOW.total_seconds())
        context = self.get_context_data(form=form, minutes=wait // 60)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait)})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "next": self.get_next_url() or "",
            "provider": {"id": PROVIDER, "name": settings.VOICEHUB_OIDC_NAME} if is_configured() else None,
        }


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out, and have the browser forget what it stored of the pages (OWASP ASVS 5.0, 14.3.1)."""
    response: HttpResponse = LogoutView.as_view()(request)
    response.headers["Clear-Site-Data"] = CLEARED_AT_SIGN_OUT
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def show_profile(request: HttpRequest) -> HttpResponse:
    """The signed-in person's name, password, second factors, sessions and recent sign-ins."""
    user = cast(User, request.user)
    name, form = str(user), NameForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_valid():
        form.save()
        if str(user) != name:
            detail = f"Name: {name} → {user}"
            record_security_event(SecurityEventKind.USER_CHANGED, user, request, user.username, detail)
        messages.success(request, "Saved.")
        return redirect("profile")
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    context = {
        "form": form,
        "app": next((one for one in factors if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one.wrap() for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "codes": next((one.wrap() for one in factors if one.type == Authenticator.Type.RECOVERY_CODES), None),
        "lacks_factor": lacks_factor(user) and not has_factor_of_provider(request),
        "sessions": find_sessions(user),
        "this_session": hash_key(request.session.session_key or ""),
        "events": list_events(user),
        "can_change_email": settings.MAIL is not None,
    }
    return render(request, "staff/profile.html", context)


def list_events(user: User) -> list[dict[str, Any]]:
    """What the user did, and what others did to their access. They do not see from where others did it."""
    rows = SecurityEvent.objects.filter(Q(person=user) | Q(actor=user))[:SHOWN_EVENTS]
    return [{"row": row, "text": describe_event(row, user), "is_by_reader": row.actor_id == user.pk} for row in rows]


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End one other session of the signed-in person, or all."""
    user = cast(User, request.user)
    ended = end_sessions(user, keep=request.session.session_key, only=request.POST.get("session") or None)
    if ended:
        record_security_event(SecurityEventKind.SESSIONS_ENDED, user, request, f"{ended}")
    messages.success(
        request, "Signed out in 1 other browser." if ended == 1 else f"Signed out in {ended} other browsers."
    )
    return redirect("profile")
