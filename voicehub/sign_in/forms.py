"""The forms of django-allauth in our words."""

import unicodedata
from typing import Any

from allauth.account import forms as account
from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.http import HttpRequest, HttpResponse

from voicehub.models import User
from voicehub.password_words import describe_password_fields
from voicehub.sign_in.emails import TAKEN, is_email_taken


class SignInForm(account.LoginForm):
    _login: Login

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label, field.help_text = {"login": "Username or email", "password": "Password"}[name], ""
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


class _NewPasswordWords(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["password1"].label = "New password"
        describe_password_fields(self.fields)


class ChangePasswordForm(_NewPasswordWords, account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label, self.fields["oldpassword"].help_text = "Present password", ""


class SetPasswordForm(_NewPasswordWords, account.SetPasswordForm):
    pass


class ResetPasswordKeyForm(_NewPasswordWords, account.ResetPasswordKeyForm):
    pass


class ResetPasswordForm(account.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Email"
        self.fields["email"].widget.attrs.pop("placeholder", None)


class ReauthenticateForm(account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class _CodeWords(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric"}


class FactorForm(_CodeWords, AuthenticateForm):
    pass


class ActivateAppForm(_CodeWords, ActivateTOTPForm):
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
