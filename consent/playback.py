"""When a member of staff first asked to hear a take, as the server saw it.

It is kept in the session, which lies on the server and ends with the sign-in: the browser holds only its key, so it can
neither make up a playback nor lend one to another person.
"""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from consent.models import Take

SESSION_KEY = "takes_played"
STATUSES_WITH_SOUND = {200, 206, 302}  # all of it, a part of it, or the way to it at the store


def record_playback(request: HttpRequest, take: Take, response: HttpResponseBase) -> None:
    """Note that this answer brings sound of the take; the first time counts."""
    if request.method == "GET" and response.status_code in STATUSES_WITH_SOUND:
        played = request.session.get(SESSION_KEY, {})
        if str(take.pk) not in played:
            request.session[SESSION_KEY] = played | {str(take.pk): timezone.now().timestamp()}


def find_first_playback(request: HttpRequest, take: Take) -> datetime | None:
    """When this person first asked for the sound of the take; None when there was no such request in this session."""
    at = request.session.get(SESSION_KEY, {}).get(str(take.pk))
    return None if at is None else datetime.fromtimestamp(at, UTC)
