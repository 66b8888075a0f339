"""Connects this package to the signals of Django and django-allauth."""

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_delete

from voicehub.models import User
from voicehub.sign_in.factor_events import record_failed_factor, record_used_code
from voicehub.sign_in.second_factor import check_at_sign_in, note_new_roles, note_removed_factor
from voicehub.sign_in.sessions import start_session


def connect_receivers() -> None:
    user_logged_in.connect(start_session, dispatch_uid="voicehub.start_session")
    user_logged_in.connect(check_at_sign_in, dispatch_uid="voicehub.check_at_sign_in")
    m2m_changed.connect(note_new_roles, sender=User.groups.through, dispatch_uid="voicehub.note_new_roles")
    post_delete.connect(note_removed_factor, sender=Authenticator, dispatch_uid="voicehub.note_removed_factor")
    authenticator_used.connect(record_used_code, dispatch_uid="voicehub.record_used_code")
    authentication_failed.connect(record_failed_factor, dispatch_uid="voicehub.record_failed_factor")
