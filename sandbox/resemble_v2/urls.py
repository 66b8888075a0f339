"""URLs of Resemble v2 below `/resemble/`."""

from django.urls import path

from sandbox.endpoints import dispatch_by_method
from sandbox.resemble_v2 import account, recordings, rows, synthesis, training, voices
from sandbox.training import VendorTables
from sandbox.vendor_api import VendorApi

all_voices = dispatch_by_method(get=voices.list_voices, post=voices.create_voice)
one_voice = dispatch_by_method(
    get=voices.get_voice, put=voices.update_voice, patch=voices.update_voice, delete=voices.delete_voice
)
all_recordings = dispatch_by_method(get=recordings.list_recordings, post=recordings.create_recording)
one_recording = dispatch_by_method(
    get=recordings.get_recording,
    put=recordings.update_recording,
    patch=recordings.update_recording,
    delete=recordings.delete_recording,
)

urls = [
    path("api/v2/voices", all_voices),
    path("api/v2/voices/<str:uuid>", one_voice),
    path("api/v2/voices/<str:uuid>/build", dispatch_by_method(post=voices.build_voice)),
    path("api/v2/voices/<str:voice>/recordings", all_recordings),
    path("api/v2/voices/<str:voice>/recordings/<str:uuid>", one_recording),
    path("recordings/<str:voice>/<str:uuid>/<str:file>", dispatch_by_method(get=recordings.get_audio)),
    path("api/v2/account/teams", dispatch_by_method(get=account.list_teams)),
    path("api/v2/account/teams/<str:uuid>", dispatch_by_method(get=account.get_team)),
    path("api/v2/account/billing_usage", dispatch_by_method(get=account.get_billing_usage)),
    path("synthesize", dispatch_by_method(post=synthesis.synthesize)),
]

# Errors of Resemble v2 have the format of the control API's errors, so no renderer is declared.
API = VendorApi(
    vendor="resemble_v2",
    root="resemble/",
    urls=urls,
    own_tables=VendorTables(rows.SCHEMA, training.resume_trainings, training.count_due_trainings),
)
