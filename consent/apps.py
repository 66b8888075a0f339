from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consents"

    def ready(self) -> None:
        from consent import tasks  # noqa: F401 - registers the task handlers
        from consent.access import query_submitted_consents
        from voicehub.rail_counts import RailCount, register_count

        register_count(RailCount("consent:consent_list", "to review", "consent.view_consent", query_submitted_consents))
