"""Which people must have a second factor, and the page that they see until they have one."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from voicehub.models import User
from voicehub.problem_pages import is_script_request
from voicehub.roles import ROLES
from voicehub.sign_in.oidc import has_factor_of_provider

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
FACTOR_NAMES = {
    Authenticator.Type.TOTP: "Authenticator app",
    Authenticator.Type.WEBAUTHN: "Passkey",
    Authenticator.Type.RECOVERY_CODES: "Recovery codes",
}
ALL_ROLES = {*ROLES, "admin"}
NEEDED = "Set up a second factor first."
# Where a person without the demanded factor may still go: to set one up, or away.
OPEN_URLS = {
    "profile", "account_login", "account_logout", "account_reauthenticate", "account_change_password", "session_state",
    "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "studio_logo", "healthz",
}  # fmt: skip


def needs_factor(user: User) -> bool:
    """Whether the user has a role that demands a second factor. A superuser has every role of `voicehub.roles`."""
    roles: set[str] = settings.VOICEHUB_SECOND_FACTOR_ROLES
    if not roles:
        return False
    return (user.is_superuser and not roles.isdisjoint(ALL_ROLES)) or user.groups.filter(name__in=roles).exists()


def has_factor(user: AbstractBaseUser) -> bool:
    """Recovery codes alone are none: they stand in for a factor that was lost."""
    return bool(is_mfa_enabled(user, FACTORS))


def lacks_factor(user: User) -> bool:
    return needs_factor(user) and not has_factor(user)


class SecondFactorMiddleware:
    """Leads a person who must have a second factor, and has none, to the page where they set it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, *_: object) -> HttpResponse | None:
        if not settings.VOICEHUB_SECOND_FACTOR_ROLES or not getattr(view, "login_required", True):
            return None
        match = request.resolver_match
        if match is None or match.view_name in OPEN_URLS or not isinstance(request.user, User):
            return None
        if has_factor_of_provider(request) or not lacks_factor(request.user):
            return None
        if is_script_request(request):
            return JsonResponse({"problem": NEEDED, "kind": "second_factor"}, status=403)
        return redirect("profile")
