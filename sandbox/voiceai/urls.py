"""URLs of Voice.ai below `/voiceai/`."""

from django.urls import path

from sandbox.endpoints import dispatch_by_method
from sandbox.training import Training
from sandbox.vendor_api import VendorApi
from sandbox.voiceai import speech, voices
from sandbox.voiceai.auth import VENDOR, render_error
from sandbox.voiceai.training import decide_outcome

one_voice = dispatch_by_method(
    get=voices.get_voice, patch=voices.update_voice, put=voices.update_voice, delete=voices.delete_voice
)

urls = [
    path("api/v1/tts/clone-voice", dispatch_by_method(post=voices.clone_voice)),
    path("api/v1/tts/voices", dispatch_by_method(get=voices.list_voices)),
    path("api/v1/tts/voice/<str:voice_id>", one_voice),
    path("api/v1/tts/speech", dispatch_by_method(post=speech.create_speech)),
    path("api/v1/tts/speech/stream", dispatch_by_method(post=speech.stream_speech)),
]

API = VendorApi(
    vendor=VENDOR,
    root="voiceai/",
    urls=urls,
    error_renderers={"": render_error},
    trainings={"voice": Training(decide_outcome)},
)
