"""Limits of failed sign-ins: for one name from one network, for one network, and for one name.

No owner is locked out. Above a limit, a password is still checked, but it is accepted only with something that a
guesser does not have: a second factor, or a browser that has signed in as this person before. Everyone else waits until
the window ends, and does not learn whether the password was right (OWASP ASVS 5.0, 6.3.1, 6.3.8).
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network

from django.db.models import F
from django.utils import timezone

from voicehub.models import SignInAttempts
from voicehub.tokens import hash_token

WINDOW = timedelta(minutes=15)
MAX_FOR_NAME_AND_NETWORK = 10
MAX_FOR_NETWORK = 60  # the people of one office often share one address
MAX_FOR_NAME = 60
MAX_FOR_BROWSER = 10
IPV6_PREFIX_BITS = 64  # a client usually controls a whole /64 network (RFC 6177)


@dataclass(frozen=True)
class Attempt:
    """A counted attempt. `is_limited`: some limit is reached."""

    keys: tuple[str, ...]
    is_limited: bool


def make_network(address: str | None) -> str:
    return (
        str(ip_network(f"{address}/{IPV6_PREFIX_BITS}", strict=False)) if address and ":" in address else str(address)
    )


def count_attempt(name: str, address: str | None, known_browser: str = "") -> Attempt:
    """Count an attempt, before the password is checked, so that parallel requests gain nothing.

    A browser that has signed in as this person before has a limit of its own: `known_browser` is its identity.
    The keys are digests, because people sometimes type their password as the name.
    """
    folded, network = name.casefold(), make_network(address)
    limits = {f"pair\n{network}\n{folded}": MAX_FOR_NAME_AND_NETWORK, f"name\n{folded}": MAX_FOR_NAME}
    limits[f"network\n{network}"] = MAX_FOR_NETWORK
    if known_browser:
        limits = {f"browser\n{known_browser}": MAX_FOR_BROWSER}
    now = timezone.now()
    SignInAttempts.objects.filter(since__lte=now - WINDOW).delete()
    keys = {hash_token(text): limit for text, limit in limits.items()}
    counted = [_count_one(key, limit) for key, limit in keys.items()]
    return Attempt(tuple(keys), is_limited=not all(counted))


def _count_one(key: str, limit: int) -> bool:
    SignInAttempts.objects.get_or_create(key=key, defaults={"since": timezone.now()})
    return bool(SignInAttempts.objects.filter(key=key, count__lt=limit).update(count=F("count") + 1))


def forget_attempt(attempt: Attempt) -> None:
    """Take back an attempt that succeeded. The failures before it still count, but for this name from this network."""
    pair, *shared = attempt.keys
    SignInAttempts.objects.filter(key=pair).delete()
    SignInAttempts.objects.filter(key__in=shared, count__gt=0).update(count=F("count") - 1)
