import logging

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate

from voicehub.folding import connect_folding
from voicehub.roles import update_roles
from voicehub.tokens import LinkRedactor


class VoiceHubConfig(AppConfig):
    name = "voicehub"
    verbose_name = "Users and tasks"

    def ready(self) -> None:
        from voicehub import checks, tasks  # noqa: F401 - registers the checks and the task handlers
        from voicehub.sign_in.receivers import connect_receivers

        # Logs contain no tokens. gunicorn's loggers bypass our handlers, and log the URL of a failed request.
        for name in ("gunicorn.error", "gunicorn.access"):
            logging.getLogger(name).addFilter(LinkRedactor())
        connect_receivers()
        post_migrate.connect(update_roles, dispatch_uid="voicehub.roles")
        connect_folding()


class StudioAdminConfig(AdminConfig):
    """Django's admin with our own site class."""

    default = False
    default_site = "voicehub.admin_site.StudioAdminSite"
