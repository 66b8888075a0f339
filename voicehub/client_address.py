"""What a request says of its client: the IP address, and the browser."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from voicehub.models import BROWSER_LENGTH


def get_client_address(request: HttpRequest) -> str | None:
    """The client's IP address. None if it is unknown.

    Each of our own proxies (VOICEHUB_PROXIES of them) appends its peer's address to X-Forwarded-For. Earlier entries
    come from the client, who can forge them, so they are ignored.
    """
    trusted: int = settings.VOICEHUB_PROXIES
    entries = [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry]
    address = entries[-trusted] if 0 < trusted <= len(entries) else request.META.get("REMOTE_ADDR", "")
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return None
    # A server that listens on IPv6 too sees IPv4 clients as ::ffff:192.0.2.1, all in one network.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def read_browser(request: HttpRequest) -> str:
    """The User-Agent header, as long as it is stored."""
    return request.headers.get("User-Agent", "")[:BROWSER_LENGTH]
