"""Addresses of this app. Only `voices:dataset` and `webhooks:callback` are open without a login, each by its token."""

from django.urls import path

from voices import webhooks
from voices.views import accounts, builds, recordings, today
from voices.views import voices as voice_views

app_name = "voices"

urlpatterns = [
    path("today/moving/", today.moving, name="moving"),
    path("talents/<uuid:pk>/voices/add/", voice_views.voice_add, name="voice_add"),
    path("voices/<uuid:pk>/", voice_views.voice, name="voice"),
    path("voices/<uuid:pk>/readiness/", voice_views.readiness, name="readiness"),
    path("voices/<uuid:pk>/recordings/", recordings.recording_table, name="recording_table"),
    path("voices/<uuid:pk>/recordings/moving/", recordings.recordings_moving, name="recordings_moving"),
    path("voices/<uuid:pk>/recordings/upload/", recordings.recording_upload, name="recording_upload"),
    path("voices/<uuid:pk>/build/", builds.build_start, name="build_start"),
    path("recordings/<uuid:pk>/", recordings.recording_edit, name="recording_edit"),
    path("recordings/<uuid:pk>/active/", recordings.recording_active, name="recording_active"),
    path("recordings/<uuid:pk>/cut/", recordings.recording_cut, name="recording_cut"),
    path("recordings/<uuid:pk>/delete/", recordings.recording_delete, name="recording_delete"),
    path("recordings/<uuid:pk>/audio", recordings.recording_audio, name="recording_audio"),
    path("recordings/<uuid:pk>/peaks", recordings.recording_peaks, name="recording_peaks"),
    path("builds/<uuid:pk>/", builds.build, name="build"),
    path("builds/<uuid:pk>/progress/", builds.build_progress, name="build_progress"),
    path("builds/<uuid:pk>/recordings.csv", builds.build_export, name="build_export"),
    path("builds/<uuid:pk>/cancel/", builds.build_cancel, name="build_cancel"),
    path("builds/<uuid:pk>/settle/", builds.build_settle, name="build_settle"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/<uuid:pk>/test/", accounts.account_test, name="account_test"),
    path("datasets/<str:token>/<str:name>", webhooks.dataset, name="dataset"),
]
