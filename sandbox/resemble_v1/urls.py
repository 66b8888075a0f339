"""URLs of Resemble v1 below `/resemble/`."""

from django.urls import path

from sandbox.endpoints import dispatch_by_method
from sandbox.resemble_v1 import object_store, voices
from sandbox.resemble_v1.auth import VENDOR, render_error, render_storage_error
from sandbox.resemble_v1.training import decide_outcome, make_callback
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

urls = [
    path("api/v1/voices", dispatch_by_method(get=voices.list_voices, post=voices.create_voice)),
    path("api/v1/voices/build", dispatch_by_method(post=voices.build_voice)),
    path("storage/<str:voice>", dispatch_by_method(put=object_store.upload_file)),
]

API = VendorApi(
    vendor=VENDOR,
    root="resemble/",
    urls=urls,
    error_renderers={"api/v1/": render_error, "storage/": render_storage_error},
    trainings={"voice": Training(decide_outcome, make_callback)},
)
