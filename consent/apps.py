from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consents"

    def ready(self) -> None:
        from consent import tasks  # noqa: F401 - registers the task handlers
