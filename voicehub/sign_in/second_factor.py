"""Which people must have a second factor, and the page that they see until they have one.

A session remembers that its person lacks none, for these roles and factors of theirs and for this setting. A new role,
a removed factor, superuser rights or another setting make it ask the database again, once.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, F, OuterRef, Q
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
CHECKED_KEY = "factor_checked"  # of the session
NEEDED = "Set up a second factor first."
# Where a person without the demanded factor may still go: to set one up, or away.
OPEN_URLS = {
    "profile", "account_login", "account_logout", "account_reauthenticate", "account_change_password", "session_state",
    "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "studio_logo", "healthz",
}  # fmt: skip


def has_factor(user: AbstractBaseUser) -> bool:
    """Recovery codes alone are none: they stand in for a factor that was lost."""
    return bool(is_mfa_enabled(user, FACTORS))


def lacks_factor(user: User) -> bool:
    """Whether the user has a role that demands a second factor, but no factor. A superuser has every role."""
    roles: set[str] = settings.VOICEHUB_SECOND_FACTOR_ROLES
    if not roles:
        return False
    demanded = Q(groups__name__in=roles)
    if not roles.isdisjoint(ALL_ROLES):
        demanded |= Q(is_superuser=True)
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    return User.objects.filter(demanded, ~Exists(factors), pk=user.pk).exists()


def _make_mark(user: User) -> str:
    """Changes with everything on which the answer of `lacks_factor` depends, except that it may become “no”."""
    roles = ",".join(sorted(settings.VOICEHUB_SECOND_FACTOR_ROLES))
    return f"{user.pk} {user.access_version} {user.is_superuser} {roles}"


def check_factor(request: HttpRequest, user: User) -> bool:
    """Whether the user may see pages. Costs a query only if the session does not remember the answer."""
    mark = _make_mark(user)  # made of the row as it was before the query, so that no change in between is missed
    if request.session.get(CHECKED_KEY) == mark:
        return True
    if lacks_factor(user):
        return False
    request.session[CHECKED_KEY] = mark
    return True


def check_at_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Receiver: the session is written at a sign-in anyway."""
    if settings.VOICEHUB_SECOND_FACTOR_ROLES:
        check_factor(request, user)


def note_new_roles(instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_: Any) -> None:
    """Receiver: users got roles, or a role got users."""
    if action == "post_add":
        _raise_versions(pk_set or set() if reverse else {instance.pk})


def note_removed_factor(instance: Authenticator, **_: Any) -> None:
    """Receiver."""
    _raise_versions({instance.user_id})


def _raise_versions(users: set[int]) -> None:
    User.objects.filter(pk__in=users).update(access_version=F("access_version") + 1)


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
        if has_factor_of_provider(request) or check_factor(request, request.user):
            return None
        if is_script_request(request):
            return JsonResponse({"problem": NEEDED, "kind": "second_factor"}, status=403)
        return redirect("profile")
