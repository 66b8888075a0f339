from django.apps import AppConfig
from django.db.models.signals import post_migrate

from voicehub.roles import make_roles


class VoiceHubConfig(AppConfig):
    name = "voicehub"
    verbose_name = "House"

    def ready(self) -> None:
        from voicehub import checks  # noqa: F401 - registers the checks

        post_migrate.connect(make_roles, dispatch_uid="voicehub.roles")
