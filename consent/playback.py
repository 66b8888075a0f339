"""The time when a staff member first requested the audio of a take, as seen by the server.

It is stored in the session, which is on the server and ends at sign-out. The browser has only the session key, so it
can neither fake a playback nor pass a playback on to another person.
"""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from consent.models import Take

SESSION_KEY = "takes_played"
STATUSES_WITH_AUDIO = {200, 206, 302}  # whole file, part of it, or redirect to the object store


def record_playback(request: HttpRequest, take: Take, response: HttpResponseBase) -> None:
    """Record that this response delivers audio of the take. Only the time of the first such response is stored."""
    if request.method == "GET" and response.status_code in STATUSES_WITH_AUDIO:
        played_at = request.session.get(SESSION_KEY, {})
        if str(take.pk) not in played_at:
            request.session[SESSION_KEY] = played_at | {str(take.pk): timezone.now().timestamp()}


def find_first_playback(request: HttpRequest, take: Take) -> datetime | None:
    """When this person first requested the audio of the take, or of another take with the same bytes.

    None without such a request in this session.
    """
    played_at = request.session.get(SESSION_KEY, {})
    same = Take.objects.filter(pk__in=list(played_at), sha256=take.sha256, wav_sha256=take.wav_sha256)
    times = [played_at[str(pk)] for pk in same.values_list("pk", flat=True)] if played_at else []
    return datetime.fromtimestamp(min(times), UTC) if times else None
