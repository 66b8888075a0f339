from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "voices"
    verbose_name = "Voices"

    def ready(self) -> None:
        from consent import extension_points, recording_comparison
        from providers import registry
        from voices import services, tasks  # noqa: F401 - registers the handlers of its tasks

        extension_points.offer(registry.choices)
        recording_comparison.offer(services.compare_later)
