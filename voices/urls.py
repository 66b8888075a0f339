"""URLs of this app. Only `voices:dataset` and `webhooks:callback` need no login: a token protects each."""

from django.urls import path

from voices import webhooks
from voices.views import (
    accounts,
    builds,
    compare,
    dashboard,
    deletions,
    previews,
    recordings,
    remote_voices,
    unknown_voices,
    uploads,
)
from voices.views import voices as voice_views

app_name = "voices"

urlpatterns = [
    path("today/active-builds/", dashboard.active_builds, name="active_builds"),
    path("talents/<uuid:pk>/voices/add/", voice_views.voice_add, name="voice_add"),
    path("voices/<uuid:pk>/", voice_views.voice_detail, name="voice"),
    path("voices/<uuid:pk>/readiness/", voice_views.voice_readiness, name="readiness"),
    path("voices/<uuid:pk>/recordings/", recordings.recording_table, name="recording_table"),
    path("voices/<uuid:pk>/recordings/poll/", recordings.recordings_poll, name="recordings_poll"),
    path("voices/<uuid:pk>/recordings/upload/", uploads.recording_upload, name="recording_upload"),
    path("voices/<uuid:pk>/build/", builds.build_start, name="build_start"),
    path("recordings/<uuid:pk>/", recordings.recording_edit, name="recording_edit"),
    path("recordings/<uuid:pk>/active/", recordings.recording_active, name="recording_active"),
    path("recordings/<uuid:pk>/split/", recordings.recording_split, name="recording_split"),
    path("recordings/<uuid:pk>/delete/", recordings.recording_delete, name="recording_delete"),
    path("recordings/<uuid:pk>/audio", recordings.recording_audio, name="recording_audio"),
    path("recordings/<uuid:pk>/peaks", recordings.recording_peaks, name="recording_peaks"),
    path("builds/<uuid:pk>/", builds.build_detail, name="build"),
    path("builds/<uuid:pk>/progress/", builds.build_progress, name="build_progress"),
    path("builds/<uuid:pk>/recordings.csv", builds.build_export, name="build_export"),
    path("builds/<uuid:pk>/cancel/", builds.build_cancel, name="build_cancel"),
    path("builds/<uuid:pk>/resolve-submit/", builds.build_resolve_submit, name="build_resolve_submit"),
    path("builds/<uuid:pk>/resolve-training/", builds.build_resolve_training, name="build_resolve_training"),
    path("builds/compare/", compare.compare_builds, name="compare"),
    path("builds/compare/previews/", compare.compare_previews, name="compare_previews"),
    path("builds/compare/request-previews/", compare.compare_request_previews, name="compare_request_previews"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/add/", accounts.account_add, name="account_add"),
    path("accounts/providers/<slug:slug>/", accounts.provider_limits, name="provider"),
    path("accounts/<uuid:pk>/", accounts.account_detail, name="account"),
    path("accounts/<uuid:pk>/test/", accounts.account_test, name="account_test"),
    path("accounts/<uuid:pk>/key/", accounts.account_key, name="account_key"),
    path("accounts/<uuid:pk>/pause/", accounts.account_pause, name="account_pause"),
    path("accounts/<uuid:pk>/resume/", accounts.account_resume, name="account_resume"),
    path("accounts/<uuid:pk>/unknown-voices/", unknown_voices.unknown_voice_list, name="unknown_voices"),
    path("accounts/<uuid:pk>/unknown-voices/adopt/", unknown_voices.unknown_voice_adopt, name="unknown_voice_adopt"),
    path("accounts/<uuid:pk>/unknown-voices/delete/", unknown_voices.unknown_voice_delete, name="unknown_voice_delete"),
    path("remote-voices/<uuid:pk>/", remote_voices.remote_voice_detail, name="remote_voice"),
    path("remote-voices/<uuid:pk>/progress/", remote_voices.remote_progress, name="remote_progress"),
    path("remote-voices/<uuid:pk>/refresh/", remote_voices.remote_refresh, name="remote_refresh"),
    path("remote-voices/<uuid:pk>/rename/", remote_voices.remote_rename, name="remote_rename"),
    path("remote-voices/<uuid:pk>/visibility/", remote_voices.remote_visibility, name="remote_visibility"),
    path("remote-voices/<uuid:pk>/delete/", deletions.remote_delete, name="remote_delete"),
    path(
        "remote-voices/<uuid:pk>/confirm-deletion/",
        deletions.remote_confirm_deletion,
        name="remote_confirm_deletion",
    ),
    path("remote-voices/<uuid:pk>/confirm-files/", deletions.remote_confirm_files, name="remote_confirm_files"),
    path("remote-voices/<uuid:pk>/assign-deletion/", deletions.remote_assign_deletion, name="remote_assign_deletion"),
    path("remote-voices/<uuid:pk>/previews/", previews.preview_list, name="previews"),
    path("remote-voices/<uuid:pk>/previews/request/", previews.preview_request, name="preview_request"),
    path("previews/<uuid:pk>/audio", previews.preview_audio, name="preview_audio"),
    path("datasets/<str:token>/<str:name>", webhooks.serve_dataset, name="dataset"),
]
