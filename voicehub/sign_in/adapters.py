"""How django-allauth signs people in here: sign-up is closed, limits delay, each step is recorded, mails are ours."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from voicehub import encryption
from voicehub.client_address import get_client_address
from voicehub.confirmation import needs_confirmation
from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_delayed, record_security_event
from voicehub.sign_in.known_browsers import find_known_browser, remember_browser
from voicehub.sign_in.limits import count_attempt, forget_attempt
from voicehub.sign_in.mails import enqueue_security_mail
from voicehub.sign_in.second_factor import FACTOR_NAMES, has_factor

FACTOR_STAGE = "voicehub.sign_in.oidc.FactorStage"
TOO_MANY_ATTEMPTS = "too_many_login_attempts"
SECRETS = "second factor"

APP, PASSKEY = FACTOR_NAMES[Authenticator.Type.TOTP], FACTOR_NAMES[Authenticator.Type.WEBAUTHN]
# What django-allauth writes mails about, each by the first part of its templates' names.
MAILED = {
    "account/email/password_changed": (SecurityEventKind.PASSWORD_CHANGED, ""),
    "account/email/password_set": (SecurityEventKind.PASSWORD_CHANGED, ""),
    "account/email/password_reset": (SecurityEventKind.PASSWORD_RESET, ""),
    "account/email/password_reset_key": (SecurityEventKind.RESET_REQUESTED, ""),
    "mfa/email/totp_activated": (SecurityEventKind.FACTOR_ADDED, APP),
    "mfa/email/totp_deactivated": (SecurityEventKind.FACTOR_REMOVED, APP),
    "mfa/email/webauthn_added": (SecurityEventKind.FACTOR_ADDED, PASSKEY),
    "mfa/email/webauthn_removed": (SecurityEventKind.FACTOR_REMOVED, PASSKEY),
    "mfa/email/recovery_codes_generated": (SecurityEventKind.CODES_CREATED, ""),
}


def find_user(name: str) -> User | None:
    """The user whom this name or email stands for, whether or not they may sign in."""
    return User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).order_by("pk").first()


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        TOO_MANY_ATTEMPTS: "Too many failed attempts.",
        "username_password_mismatch": "The name or the password is wrong.",
        "email_password_mismatch": "The name or the password is wrong.",
        "incorrect_password": "The password is wrong.",
        "incorrect_code": "The code is wrong, or it was used before. Enter the code that is shown now.",
        "enter_current_password": "This is not your present password.",
        "rate_limited": "Too many attempts. Try again in a few minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return get_client_address(request) or "unknown"

    def is_safe_url(self, url: str) -> bool:
        """Only pages of this host. The parent allows all of ALLOWED_HOSTS, which may name a whole domain."""
        request = self.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages say what happened."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The user, if the password is right and no limit is reached (see `voicehub.sign_in.limits`)."""
        name = str(credentials.get("username") or credentials.get("email") or "")
        expected = find_user(name)
        attempt = count_attempt(name, get_client_address(request), find_known_browser(request, expected))
        user = authenticate(request, **credentials)
        if attempt.is_limited and not (user and has_factor(user)):
            record_delayed(request, expected)
            raise self.validation_error(TOO_MANY_ATTEMPTS)
        if user is None:
            record_security_event(SecurityEventKind.SIGN_IN_FAILED, expected, request)
            return None
        forget_attempt(attempt)
        return user

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Before each way to sign in. Users of the sample do not get in at an https address, whatever was started."""
        if settings.HTTPS and isinstance(user, User) and user.is_of_sample:
            record_security_event(SecurityEventKind.SIGN_IN_FAILED, user, request)
            clear_login(request)
            refusal: HttpResponse = self.respond_user_inactive(request, user)
            return refusal
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def get_login_stages(self) -> list[str]:
        stages: list[str] = super().get_login_stages()
        return [FACTOR_STAGE if stage == "allauth.mfa.stages.AuthenticateStage" else stage for stage in stages]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """One rule for the pages of django-allauth and for ours. A recent sign-in counts."""
        return needs_confirmation(self.request)

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        """Record the sign-in, and write to the person if the browser is new."""
        response = super().post_login(request, user, **kwargs)
        if isinstance(user, User):
            event = record_security_event(SecurityEventKind.SIGNED_IN, user, request)
            if not find_known_browser(request, user):
                enqueue_security_mail(event)
            remember_browser(response, user)
        return response

    def send_notification_mail(
        self, template_prefix: str, user: AbstractBaseUser, context: Any = None, email: str | None = None
    ) -> None:
        self.send_mail(template_prefix, "", {"user": user})

    def send_mail(self, template_prefix: str, _email: str, context: dict[str, Any]) -> None:
        """Record the event that the mail is about. The mail is sent by a task, which survives a lost mail server."""
        kind, subject = MAILED[template_prefix]
        enqueue_security_mail(record_security_event(kind, context["user"], self.request, subject))

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            record_security_event(SecurityEventKind.SIGNED_OUT, request.user, request)
        super().logout(request)


class FactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def get_totp_issuer(self) -> str:
        return f"VoiceHub · {settings.VOICEHUB_COMPANY}" if settings.VOICEHUB_COMPANY else "VoiceHub"

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text, SECRETS)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text, SECRETS)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": self.get_totp_issuer()}
