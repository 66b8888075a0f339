import logging

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import m2m_changed, post_delete, post_migrate

from voicehub.folding import connect_folding
from voicehub.roles import update_roles
from voicehub.tokens import LinkRedactor


class VoiceHubConfig(AppConfig):
    name = "voicehub"
    verbose_name = "Users and tasks"

    def ready(self) -> None:
        from voicehub import checks, tasks  # noqa: F401 - registers the checks and the task handlers

        # Logs contain no tokens. gunicorn's loggers bypass our handlers, and log the URL of a failed request.
        for name in ("gunicorn.error", "gunicorn.access"):
            logging.getLogger(name).addFilter(LinkRedactor())
        connect_sign_in()
        post_migrate.connect(update_roles, dispatch_uid="voicehub.roles")
        connect_folding()


def connect_sign_in() -> None:
    """Sessions, second factors and roles are changed by Django and django-allauth, which say so by signals."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.signals import authentication_failed, authenticator_used
    from django.contrib.auth.signals import user_logged_in

    from voicehub.models import User
    from voicehub.sign_in import factor_events, second_factor, sessions

    user_logged_in.connect(sessions.start_session, dispatch_uid="voicehub.start_session")
    user_logged_in.connect(second_factor.check_at_sign_in, dispatch_uid="voicehub.check_at_sign_in")
    roles = User.groups.through
    m2m_changed.connect(second_factor.note_new_roles, sender=roles, dispatch_uid="voicehub.note_new_roles")
    post_delete.connect(
        second_factor.note_removed_factor, sender=Authenticator, dispatch_uid="voicehub.note_removed_factor"
    )
    authenticator_used.connect(factor_events.record_used_code, dispatch_uid="voicehub.record_used_code")
    authentication_failed.connect(factor_events.record_failed_factor, dispatch_uid="voicehub.record_failed_factor")


class StudioAdminConfig(AdminConfig):
    """Django's admin with our own site class."""

    default = False
    default_site = "voicehub.admin_site.StudioAdminSite"
