from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "voices"
    verbose_name = "Voices"

    def ready(self) -> None:
        from consent import extension_points
        from providers import registry
        from voicehub.rail_counts import RailCount, register_count
        from voices import tasks  # noqa: F401 - registers the task handlers
        from voices.access import list_using_voices, list_voice_languages
        from voices.lists.talents import SUMMARIES
        from voices.models import Build
        from voices.services.deletion_assignment import resume_mails
        from voices.services.deletion_table import list_deletions
        from voices.services.imports.clear import resume_clearing
        from voices.services.previews import resume_samples
        from voices.services.recordings.speaker_results import compare_everything, forget_speakers
        from voices.services.recordings.take_matches import enqueue_take_matches
        from voices.services.scheduled_deletion import resume_deletions
        from voices.services.uploaders import has_only_authorized_uploaders
        from voices.services.withdrawal import has_voices, stop_use
        from voices.views.next_steps import find_first_steps

        register_count(RailCount("voices:build_list", "running", "voices.view_build", Build.objects.active))
        extension_points.register_providers(registry.list_provider_choices)
        extension_points.register_voice_languages(list_voice_languages)
        extension_points.register_using_voices(list_using_voices)
        extension_points.register_proof_exemption(has_only_authorized_uploaders)
        extension_points.register_stop_handler(stop_use, list_deletions, has_voices)
        extension_points.register_resume_handler(resume_samples)
        for resume in (resume_deletions, resume_mails, resume_clearing):
            extension_points.register_hold_handler(resume)
        extension_points.register_voice_summaries(SUMMARIES)
        extension_points.register_first_steps(find_first_steps)
        comparison = extension_points.SpeakerComparison(enqueue_take_matches, compare_everything, forget_speakers)
        extension_points.register_comparison(comparison)
