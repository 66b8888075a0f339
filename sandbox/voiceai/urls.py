"""Voice.ai's paths below `/voiceai/api/v1/`."""

from django.urls import path

from sandbox.endpoints import by_method
from sandbox.voiceai import speech, voices

one_voice = by_method(
    get=voices.get_voice, patch=voices.update_voice, put=voices.update_voice, delete=voices.delete_voice
)

urlpatterns = [
    path("tts/clone-voice", by_method(post=voices.clone)),
    path("tts/voices", by_method(get=voices.list_voices)),
    path("tts/voice/<str:voice_id>", one_voice),
    path("tts/speech", by_method(post=speech.speech)),
    path("tts/speech/stream", by_method(post=speech.stream)),
]
