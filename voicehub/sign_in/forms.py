"""The forms of django-allauth in our words."""

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.core import context, ratelimit
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.http import HttpRequest, HttpResponse

from voicehub.models import SecurityEventKind, User
from voicehub.password_words import describe_password_fields
from voicehub.security_log import record_security_event
from voicehub.sign_in.emails import TAKEN, is_email_taken
from voicehub.sign_in.known_browsers import find_known_browser
from voicehub.sign_in.mails import enqueue_security_mail


class OwnWordsForm(forms.Form):
    """Shows no placeholders, and names fields by `labels`."""

    labels: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        for name, label in self.labels.items():
            self.fields[name].label, self.fields[name].help_text = label, ""


class SignInForm(OwnWordsForm, account.LoginForm):
    labels: ClassVar = {"login": "Username or email", "password": "Password"}
    _login: Login

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"

    def clean_login(self) -> str:
        """In the Unicode form in which Django stores usernames."""
        return unicodedata.normalize("NFKC", super().clean_login())

    def _login_with_password(
        self, request: HttpRequest, redirect_url: str | None, credentials: dict[str, Any]
    ) -> HttpResponse:
        """As in the parent, but the end of the session stays the one that `start_session` sets."""
        self._login.redirect_url = redirect_url
        return flows.login.perform_password_login(request, credentials, self._login)


class NewPasswordForm(OwnWordsForm):
    labels: ClassVar[Mapping[str, str]] = {"password1": "New password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe_password_fields(self.fields)


class ChangePasswordForm(NewPasswordForm, account.ChangePasswordForm):
    labels: ClassVar = {"oldpassword": "Present password", **NewPasswordForm.labels}

    def clean_oldpassword(self) -> str:
        """Counted and recorded as a sign-in is, so that a password is not guessed with a session that was left open."""
        adapter, password = get_adapter(), self.cleaned_data["oldpassword"]
        if not adapter.reauthenticate(self.user, password):
            raise adapter.validation_error("enter_current_password")
        return str(password)


class SetPasswordForm(NewPasswordForm, account.SetPasswordForm):
    pass


class ResetPasswordKeyForm(NewPasswordForm, account.ResetPasswordKeyForm):
    pass


class ResetPasswordForm(OwnWordsForm, account.ResetPasswordForm):
    labels: ClassVar = {"email": "Email"}

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """For an unknown address, the same rows are written as for a known one, so that both take as long."""
        if not self.users:
            enqueue_security_mail(record_security_event(SecurityEventKind.RESET_REQUESTED, None, request))
        email: str = super().save(request, **kwargs)
        return email


class ReauthenticateForm(OwnWordsForm, account.ReauthenticateForm):
    labels: ClassVar = {"password": "Password"}


class CodeForm(OwnWordsForm):
    labels: ClassVar = {"code": "Code"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class FactorForm(CodeForm, AuthenticateForm):
    """The code of a sign-in. A browser in which the person signed in before has attempts of its own.

    So guesses of someone who knows the password, in other browsers, do not keep the person out.
    """

    def clean_code(self) -> str:
        browser = find_known_browser(context.request, self.user)
        if not browser:
            return cast(str, super().clean_code())
        if not ratelimit.consume(context.request, action="login_failed", key=browser):
            raise get_adapter().validation_error("too_many_login_attempts")
        code: str = self.cleaned_data["code"]
        factors = list(Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN))
        for factor in factors:
            if factor.wrap().validate_code(code):
                factor.user = self.user
                self.authenticator = factor
                ratelimit.clear(context.request, action="login_failed", key=browser)
                return code
        for factor in factors[:1]:
            self._emit_authentication_failed(factor)
        raise get_factor_adapter().validation_error("incorrect_code")


class ActivateAppForm(CodeForm, ActivateTOTPForm):
    pass


class NameForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["first_name", "last_name"]


class EmailForm(forms.Form):
    email = forms.EmailField(label="New email address")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if email == self.user.email.lower():
            raise forms.ValidationError("This is your present address.")
        if is_email_taken(email, self.user):
            raise forms.ValidationError(TAKEN)
        return email
