"""Resemble v1's paths below `/resemble/`."""

from django.urls import path

from sandbox.endpoints import by_method
from sandbox.resemble_v1 import object_store, voices
from sandbox.resemble_v1.auth import VENDOR, error_form, storage_form
from sandbox.resemble_v1.training import callback, outcome
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

urls = [
    path("api/v1/voices", by_method(get=voices.list_voices, post=voices.create_voice)),
    path("api/v1/voices/build", by_method(post=voices.build)),
    path("storage/<str:voice>", by_method(put=object_store.upload)),
]

API = VendorApi(
    vendor=VENDOR,
    root="resemble/",
    urls=urls,
    error_forms={"api/v1/": error_form, "storage/": storage_form},
    trainings={"voice": Training(outcome, callback)},
)
