"""Django's handler403: a request of someone who may not do this."""

from django.http import HttpRequest, HttpResponse
from django.views.defaults import permission_denied

from voicehub.security_log import record_denied


def answer_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    record_denied(request)
    return permission_denied(request, exception)
