"""Voice.ai's paths below `/voiceai/`."""

from django.urls import path

from sandbox.endpoints import by_method
from sandbox.training import Training
from sandbox.vendor_api import VendorApi
from sandbox.voiceai import speech, voices
from sandbox.voiceai.auth import VENDOR, error_form
from sandbox.voiceai.training import outcome

one_voice = by_method(
    get=voices.get_voice, patch=voices.update_voice, put=voices.update_voice, delete=voices.delete_voice
)

urls = [
    path("api/v1/tts/clone-voice", by_method(post=voices.clone)),
    path("api/v1/tts/voices", by_method(get=voices.list_voices)),
    path("api/v1/tts/voice/<str:voice_id>", one_voice),
    path("api/v1/tts/speech", by_method(post=speech.speech)),
    path("api/v1/tts/speech/stream", by_method(post=speech.stream)),
]

API = VendorApi(
    vendor=VENDOR,
    root="voiceai/",
    urls=urls,
    error_forms={"": error_form},
    trainings={"voice": Training(outcome)},
)
