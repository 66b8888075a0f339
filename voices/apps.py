from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "voices"
    verbose_name = "Voices"

    def ready(self) -> None:
        from consent import extension_points
        from providers import registry
        from voices import tasks  # noqa: F401 - registers the handlers of its tasks
        from voices.services.recordings.analysis import compare_later

        extension_points.offer(registry.list_provider_choices)
        extension_points.offer_comparison(compare_later)
