"""Speechgen's paths below `/speechgen/`."""

from django.urls import path

from sandbox.endpoints import by_method
from sandbox.speechgen import models, speech
from sandbox.speechgen.auth import VENDOR, error_form
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

urls = [
    path("v1/voice-clone", by_method(post=models.clone)),
    path("v1/models", by_method(get=models.list_models)),
    path("v1/models/<str:model_id>", by_method(get=models.get_model, delete=models.delete_model)),
    path("v1/text-to-speech", by_method(post=speech.speech)),
    path("v1/voices", by_method(get=speech.list_voices)),
    path("cdn/samples/<str:sample_id>.mp3", by_method(get=speech.sample)),
]

API = VendorApi(
    vendor=VENDOR,
    root="speechgen/",
    urls=urls,
    error_forms={"": error_form},
    trainings={"voice": Training(models.decide_outcome)},
)
