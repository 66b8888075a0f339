"""Who reads what is being written: the signed-in user of a request, or the recipient of a mail.

Texts depend on what their reader may see, such as the names of talents. Without a reader, as in background tasks and in
texts that are stored, everything that needs a permission is left out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

from voicehub.models import User

_viewer: ContextVar[Any] = ContextVar("viewer", default=None)


class ViewerMiddleware:
    """Makes the user of the request the reader of all that the request writes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with view_as(request.user):
            return self.get_response(request)


@contextmanager
def view_as(user: Any) -> Iterator[None]:
    """Write for this user. With None, for a reader without any permission."""
    token = _viewer.set(user)
    try:
        yield
    finally:
        _viewer.reset(token)


def can_viewer(permission: str) -> bool:
    """Whether the reader has this permission."""
    viewer: User | None = _viewer.get()
    return viewer is not None and viewer.has_perm(permission)
