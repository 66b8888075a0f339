"""Sign-in with a rate limit: ten failed attempts per username and address, then a pause.

The limit counts username and address together, so an attacker cannot lock out the account's owner.
"""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db.models import F
from django.forms import ValidationError
from django.http import HttpResponse
from django.utils import timezone

from voicehub.middleware import get_client_address
from voicehub.models import SignInAttempts
from voicehub.tokens import hash_token

MAX_ATTEMPTS = 10
WINDOW = timedelta(minutes=15)
TOO_MANY_ATTEMPTS = "too_many"
IPV6_PREFIX_BITS = 64  # a client usually controls a whole /64 network (RFC 6177)


def make_throttle_key(name: str, address: str | None) -> str:
    """The key for counting attempts. It is a digest, because users sometimes type their password as the username."""
    network = str(ip_network(f"{address}/{IPV6_PREFIX_BITS}", strict=False)) if address and ":" in address else address
    return hash_token(f"{network}\n{name.casefold()}")


def count_attempt(key: str) -> bool:
    """Count an attempt; False if none is left. Called before the password check, so parallel requests gain nothing."""
    now = timezone.now()
    SignInAttempts.objects.filter(since__lte=now - WINDOW).delete()
    SignInAttempts.objects.get_or_create(key=key, defaults={"since": now})
    return bool(SignInAttempts.objects.filter(key=key, count__lt=MAX_ATTEMPTS).update(count=F("count") + 1))


class SignInForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return super().clean()
        key = make_throttle_key(name, get_client_address(self.request) if self.request else None)
        if not count_attempt(key):
            raise ValidationError("Too many failed sign-in attempts.", code=TOO_MANY_ATTEMPTS)
        cleaned = super().clean()
        SignInAttempts.objects.filter(key=key).delete()
        return cleaned


class SignInView(LoginView):
    form_class = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if not form.has_error("__all__", TOO_MANY_ATTEMPTS):
            return super().form_invalid(form)
        wait = int(WINDOW.total_seconds())
        context = self.get_context_data(form=form, minutes=wait // 60)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait)})
