"""The sandbox's own URLs; each vendor is a package or a file beside this one."""

from django.urls import include, path

from sandbox import control_api

urlpatterns = [
    path("__control/chaos", control_api.chaos),
    path("__control/clock", control_api.clock_view),
    path("__control/faults", control_api.faults),
    path("__control/ledger", control_api.ledger),
    path("__control/requests", control_api.requests),
    path("__control/settings", control_api.settings),
    path("__control/work", control_api.work),
    path("audiostack/", include("sandbox.audiostack.urls")),
    path("resemble/", include("sandbox.resemble_v1.urls")),
    path("resemble/", include("sandbox.resemble_v2.urls")),
    path("speechgen/", include("sandbox.speechgen.urls")),
    path("voiceai/api/v1/", include("sandbox.voiceai.urls")),
]
