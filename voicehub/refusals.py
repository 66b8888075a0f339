"""What is refused by a rule: the exception that services raise, and how a page shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

View = Callable[..., HttpResponse]


class ActionRefused(Exception):
    """The step is not possible where things stand now. Each of its `reasons` is a sentence for people."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


@contextmanager
def handle_refusal(show: Callable[[str], object]) -> Iterator[None]:
    """What is refused inside ends here, and each reason is given to `tell`."""
    try:
        yield
    except ActionRefused as refusal:
        for reason in refusal.reasons:
            show(reason)


def show_refusal_as_message(back: str | Callable[..., str]) -> Callable[[View], View]:
    """Decorator: a view that is refused what it does shows each reason as a message and goes `back`.

    `back` is the name of an address that takes the view's own arguments, or a function that makes one of them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # Before anything is done: what it is about may be gone afterwards.
            address = back(*args, **kwargs) if callable(back) else resolve_url(back, *args, **kwargs)
            with handle_refusal(partial(messages.error, request)):
                return view(request, *args, **kwargs)
            return redirect(address)

        return guarded

    return decorate
