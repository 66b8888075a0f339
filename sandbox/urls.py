"""URLs of the control API and of every vendor."""

from django.urls import include, path

from sandbox import control_api
from sandbox.registry import VENDORS

urlpatterns = [
    path("__control/chaos", control_api.chaos),
    path("__control/clock", control_api.clock_view),
    path("__control/faults", control_api.faults),
    path("__control/ledger", control_api.ledger),
    path("__control/requests", control_api.requests),
    path("__control/settings", control_api.settings),
    path("__control/work", control_api.work),
    *(path(api.root, include(list(api.urls))) for api in VENDORS),
]
