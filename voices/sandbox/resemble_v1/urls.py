"""Resemble v1's paths below `/resemble/`."""

from django.urls import path

from voices.sandbox.operations import by_method
from voices.sandbox.resemble_v1 import storage, voices

urlpatterns = [
    path("api/v1/voices", by_method(get=voices.list_voices, post=voices.create_voice)),
    path("api/v1/voices/build", by_method(post=voices.build)),
    path("storage/<str:voice>", by_method(put=storage.upload)),
]
