"""URLs of AudioStack below `/audiostack/`. Its client calls `/files/` instead of `/files`."""

from django.urls import path

from sandbox.audiostack import clones, constants, files
from sandbox.audiostack.auth import VENDOR, render_error
from sandbox.endpoints import dispatch_by_method
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

one_file = dispatch_by_method(get=files.get_file, patch=files.update_file, delete=files.delete_file)
cloning = dispatch_by_method(get=clones.get_clone, post=clones.clone_voice)

urls = [
    path("files", dispatch_by_method(post=files.create_file)),
    path("files/", dispatch_by_method(post=files.create_file)),
    path("files/<str:file_id>", one_file),
    path("v3/file/create-upload-url", dispatch_by_method(post=files.create_upload_url)),
    path("uploads/<str:file_id>/<str:signature>", dispatch_by_method(put=files.upload_file)),
    path("audio/<str:file_id>/<str:signature>", dispatch_by_method(get=files.get_file_audio)),
    path("speech/voice-cloning", cloning),
    path("speech/voice", dispatch_by_method(get=clones.list_voices)),
    path("speech/voice/query", dispatch_by_method(post=clones.query_voices)),
    path("speech/tts/preview", dispatch_by_method(post=clones.preview_voice)),
]

API = VendorApi(
    vendor=VENDOR,
    root="audiostack/",
    urls=urls,
    error_renderers={"": render_error},
    trainings={"voice": Training(clones.decide_outcome, success_status=constants.SUCCEEDED)},
)
