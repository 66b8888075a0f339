"""URLs of Speechgen below `/speechgen/`."""

from django.urls import path

from sandbox.endpoints import dispatch_by_method
from sandbox.speechgen import models, speech
from sandbox.speechgen.auth import VENDOR, render_error
from sandbox.training import Training
from sandbox.vendor_api import VendorApi

urls = [
    path("v1/voice-clone", dispatch_by_method(post=models.clone_voice)),
    path("v1/models", dispatch_by_method(get=models.list_models)),
    path("v1/models/<str:model_id>", dispatch_by_method(get=models.get_model, delete=models.delete_model)),
    path("v1/text-to-speech", dispatch_by_method(post=speech.create_speech)),
    path("v1/voices", dispatch_by_method(get=speech.list_voices)),
    path("cdn/samples/<str:sample_id>.mp3", dispatch_by_method(get=speech.get_sample)),
]

API = VendorApi(
    vendor=VENDOR,
    root="speechgen/",
    urls=urls,
    error_renderers={"": render_error},
    trainings={"voice": Training(models.decide_outcome)},
)
