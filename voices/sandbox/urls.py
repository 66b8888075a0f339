"""The sandbox's own URLs; each vendor is a package or a file beside this one."""

from django.urls import include, path

from voices.sandbox import control

urlpatterns = [
    path("__control/chaos", control.chaos),
    path("__control/clock", control.clock_view),
    path("__control/faults", control.faults),
    path("__control/ledger", control.ledger),
    path("__control/requests", control.requests),
    path("__control/settings", control.settings),
    path("__control/work", control.work),
    path("audiostack/", include("voices.sandbox.audiostack.urls")),
    path("resemble/", include("voices.sandbox.resemble_v1.urls")),
    path("resemble/", include("voices.sandbox.resemble_v2.urls")),
    path("speechgen/", include("voices.sandbox.speechgen.urls")),
    path("voiceai/api/v1/", include("voices.sandbox.voiceai.urls")),
]
