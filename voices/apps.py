from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "voices"
    verbose_name = "Voices"

    def ready(self) -> None:
        from consent import providers, recordings
        from voices import services, tasks  # noqa: F401 - registers the handlers of its tasks
        from voices.providers import registry

        providers.offer(registry.choices)
        recordings.offer(services.compare_later)
