"""Sign-in through the studio's identity provider (OpenID Connect), if VOICEHUB_OIDC_ISSUER names one.

Only people whom an admin has added get in, by the address that the provider has verified. Nothing of the provider is
stored: each sign-in looks the person up again.
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_security_event

METHOD = "socialaccount"  # by which django-allauth records such a sign-in in the session
PROVIDER = "studio"
UNKNOWN = (
    "No one in VoiceHub has the email address of your account at {name}, or {name} has not verified it. Ask an admin "
    "of the studio to add you."
)
FAILED = "The sign-in at {name} did not work. Try again. If it fails again, tell an admin of the studio."


def is_configured() -> bool:
    return bool(settings.VOICEHUB_OIDC_ISSUER)


def answer_refusal(request: HttpRequest, text: str, status: int = 403) -> HttpResponse:
    context = {"problem": text.format(name=settings.VOICEHUB_OIDC_NAME)}
    return render(request, "staff/provider_problem.html", context, status=status)


def find_person(addresses: list[Any]) -> User | None:
    """The one user with an address that the provider has verified."""
    verified = [address.email for address in addresses if address.verified and address.email]
    users = [user for email in verified for user in User.objects.filter(email__iexact=email)]
    return users[0] if len(users) == 1 else None


class ProviderAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        user = find_person(sociallogin.email_addresses)
        if user is None or sociallogin.state.get("process") != "login":
            record_security_event(SecurityEventKind.SIGN_IN_FAILED, user, request, settings.VOICEHUB_OIDC_NAME)
            raise ImmediateHttpResponse(answer_refusal(request, UNKNOWN))
        sociallogin.user = user

    def on_authentication_error(self, request: HttpRequest, *_: Any, **__: Any) -> None:
        record_security_event(SecurityEventKind.SIGN_IN_FAILED, None, request, settings.VOICEHUB_OIDC_NAME)
        raise ImmediateHttpResponse(answer_refusal(request, FAILED))

    def get_requests_session(self) -> Any:
        session = super().get_requests_session()
        session.trust_env = False
        return session


class ProviderCalls(OpenIDConnectOAuth2Adapter):
    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """As in the parent, but the signature is always checked, also of a token that came over TLS."""
        identity: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=settings.VOICEHUB_OIDC_ISSUER,
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return identity


@login_not_required
@require_POST
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _run(OAuth2LoginView, request, provider_id)


@login_not_required
@require_safe
def finish(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _run(OAuth2CallbackView, request, provider_id)


def _run(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    if not is_configured() or provider_id != PROVIDER:
        raise Http404
    try:
        response: HttpResponse = view.adapter_view(ProviderCalls(request, provider_id))(request)
    except (OAuth2Error, OSError, KeyError, ValueError):  # errors of the HTTP client are OSErrors
        record_security_event(SecurityEventKind.SIGN_IN_FAILED, None, request, settings.VOICEHUB_OIDC_NAME)
        return answer_refusal(request, FAILED, status=502)
    return response


class FactorStage(AuthenticateStage):
    """Asks for the second factor, but not again for one that the identity provider has asked for."""

    def _should_handle(self, request: HttpRequest) -> bool:
        is_by_provider = "sociallogin" in (self.login.signal_kwargs or {})
        if is_by_provider and settings.VOICEHUB_OIDC_HAS_SECOND_FACTOR:
            return False
        return bool(super()._should_handle(request))


def has_factor_of_provider(request: HttpRequest) -> bool:
    """Whether this session began at the identity provider, which asks for a second factor itself."""
    if not settings.VOICEHUB_OIDC_HAS_SECOND_FACTOR:
        return False
    return any(record["method"] == METHOD for record in get_authentication_records(request, request.user))
