"""Resemble v1's paths below `/resemble/`."""

from django.urls import path

from sandbox.endpoints import by_method
from sandbox.resemble_v1 import object_store, voices

urlpatterns = [
    path("api/v1/voices", by_method(get=voices.list_voices, post=voices.create_voice)),
    path("api/v1/voices/build", by_method(post=voices.build)),
    path("storage/<str:voice>", by_method(put=object_store.upload)),
]
