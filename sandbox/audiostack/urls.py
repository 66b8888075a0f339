"""AudioStack's paths below `/audiostack/`. Its client writes `/files/` where it means `/files`."""

from django.urls import path

from sandbox.audiostack import clones, constants, files
from sandbox.audiostack.auth import VENDOR, error_form
from sandbox.endpoints import by_method
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

one_file = by_method(get=files.get_file, patch=files.update_file, delete=files.delete_file)
cloning = by_method(get=clones.get_clone, post=clones.clone_voice)

urls = [
    path("files", by_method(post=files.create_file)),
    path("files/", by_method(post=files.create_file)),
    path("files/<str:file_id>", one_file),
    path("v3/file/create-upload-url", by_method(post=files.create_upload_url)),
    path("uploads/<str:file_id>/<str:signature>", by_method(put=files.upload_file)),
    path("audio/<str:file_id>/<str:signature>", by_method(get=files.file_audio)),
    path("speech/voice-cloning", cloning),
    path("speech/voice", by_method(get=clones.list_voices)),
    path("speech/voice/query", by_method(post=clones.query_voices)),
    path("speech/tts/preview", by_method(post=clones.preview)),
]

API = VendorApi(
    vendor=VENDOR,
    root="audiostack/",
    urls=urls,
    error_forms={"": error_form},
    trainings={"voice": Training(clones.decide_outcome, finished=constants.SUCCEEDED)},
)
