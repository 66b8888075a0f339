"""Addresses of this app. Only `voices:dataset` and `webhooks:callback` are open without a login, each by its token."""

from django.urls import path

from voices import webhooks
from voices.views import accounts, builds, compare, dashboard, previews, recordings, remote_voices, unknown_voices
from voices.views import voices as voice_views

app_name = "voices"

urlpatterns = [
    path("today/moving/", dashboard.moving, name="moving"),
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
    path("builds/<uuid:pk>/conclude/", builds.build_conclude, name="build_conclude"),
    path("builds/compare/", compare.compare, name="compare"),
    path("builds/compare/previews/", compare.compare_previews, name="compare_previews"),
    path("builds/compare/say/", compare.compare_say, name="compare_say"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/add/", accounts.account_add, name="account_add"),
    path("accounts/providers/<slug:slug>/", accounts.provider, name="provider"),
    path("accounts/<uuid:pk>/", accounts.account, name="account"),
    path("accounts/<uuid:pk>/test/", accounts.account_test, name="account_test"),
    path("accounts/<uuid:pk>/key/", accounts.account_key, name="account_key"),
    path("accounts/<uuid:pk>/pause/", accounts.account_pause, name="account_pause"),
    path("accounts/<uuid:pk>/resume/", accounts.account_resume, name="account_resume"),
    path("accounts/<uuid:pk>/unknown-voices/", unknown_voices.orphan_list, name="orphans"),
    path("accounts/<uuid:pk>/unknown-voices/adopt/", unknown_voices.orphan_adopt, name="orphan_adopt"),
    path("accounts/<uuid:pk>/unknown-voices/delete/", unknown_voices.orphan_delete, name="orphan_delete"),
    path("remote-voices/<uuid:pk>/", remote_voices.remote_voice, name="remote_voice"),
    path("remote-voices/<uuid:pk>/progress/", remote_voices.remote_progress, name="remote_progress"),
    path("remote-voices/<uuid:pk>/look/", remote_voices.remote_look, name="remote_look"),
    path("remote-voices/<uuid:pk>/rename/", remote_voices.remote_rename, name="remote_rename"),
    path("remote-voices/<uuid:pk>/visibility/", remote_voices.remote_visibility, name="remote_visibility"),
    path("remote-voices/<uuid:pk>/delete/", remote_voices.remote_delete, name="remote_delete"),
    path("remote-voices/<uuid:pk>/deleted/", remote_voices.remote_deleted, name="remote_deleted"),
    path("remote-voices/<uuid:pk>/previews/", previews.previews, name="previews"),
    path("remote-voices/<uuid:pk>/previews/ask/", previews.preview_ask, name="preview_ask"),
    path("previews/<uuid:pk>/audio", previews.preview_audio, name="preview_audio"),
    path("datasets/<str:token>/<str:name>", webhooks.dataset, name="dataset"),
]
