"""ActionRefused: the exception that services raise when a rule forbids an action, and how pages show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

View = Callable[..., HttpResponse]


class ActionRefused(Exception):
    """The action is not allowed in the current state. Each of its `reasons` is a sentence for users."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


@contextmanager
def handle_refusal(show: Callable[[str], object]) -> Iterator[None]:
    """Catch ActionRefused from the `with` block and pass each of its reasons to `show`."""
    try:
        yield
    except ActionRefused as refusal:
        for reason in refusal.reasons:
            show(reason)


def show_refusal_as_message(back: str | Callable[..., str]) -> Callable[[View], View]:
    """Decorator: when the view raises ActionRefused, show each reason as a message and redirect to `back`.

    `back` is a URL name that takes the view's arguments, or a function that makes a URL from them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # Computed before the view runs, because the view may delete the object.
            url = back(*args, **kwargs) if callable(back) else resolve_url(back, *args, **kwargs)
            with handle_refusal(partial(messages.error, request)):
                return view(request, *args, **kwargs)
            return redirect(url)

        return guarded

    return decorate
