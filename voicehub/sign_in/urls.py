"""Addresses of sign-in and of a person's own access. The names are those by which django-allauth finds its pages.

Its sign-up has none: only an admin adds people.
"""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, re_path
from django.views.generic import RedirectView

from voicehub.sign_in import email_views as emails
from voicehub.sign_in import oidc, views

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="account_login"),
    path("sign-in/second-factor/", factors.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/provider/<slug:provider_id>/", oidc.start, name="openid_connect_login"),
    path("sign-in/provider/<slug:provider_id>/callback/", oidc.finish, name="openid_connect_callback"),
    path("sign-in/closed/", account.account_inactive, name="account_inactive"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("password/forgotten/", account.password_reset, name="account_reset_password"),
    path("password/forgotten/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/saved/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("profile/", views.show_profile, name="profile"),
    path("profile/sessions/", views.end_other_sessions, name="profile_sessions"),
    path("profile/email/", emails.change_email, name="profile_email"),
    path("profile/email/<str:token>/", emails.confirm_email, name="profile_email_confirm"),
    path("profile/password/", account.password_change, name="account_change_password"),
    path("profile/password/set/", account.password_set, name="account_set_password"),
    path("profile/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("profile/confirm/code/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("profile/confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("profile/factors/", RedirectView.as_view(pattern_name="profile"), name="mfa_index"),
    path("profile/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("profile/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("profile/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("profile/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("profile/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("profile/passkeys/", RedirectView.as_view(pattern_name="profile"), name="mfa_list_webauthn"),
    path("profile/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("profile/passkeys/<int:pk>/rename/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("profile/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
]
