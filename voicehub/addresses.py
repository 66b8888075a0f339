"""Who a request came from, where proxies stand between us and them."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The address of the machine that made the request; None where it is not known.

    Each of our own proxies (VOICEHUB_PROXIES of them) adds whom it heard to the end of X-Forwarded-For. What stands
    before those entries was written by the caller, who may write anything, and is not read.
    """
    trusted: int = settings.VOICEHUB_PROXIES
    heard = [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry]
    told = heard[-trusted] if 0 < trusted <= len(heard) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(told.strip()))
    except ValueError:
        return None
