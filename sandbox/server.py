"""The sandbox as a server: Django's request, URLs and responses on Django's threaded WSGI server.

There is no Django handler and so no middleware: no login, no session, no CSRF check, no dashboard database.
"""

import logging
import os
import socketserver
import struct
from collections.abc import Callable, Iterable
from http import HTTPStatus
from ipaddress import ip_address
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET, socket
from typing import Any, cast

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpResponseBase
from django.urls import Resolver404, resolve

from sandbox import urls
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import NotAllowed, success_form
from sandbox.fault_actions import Dropped, ErrorForm
from sandbox.registry import ERROR_FORMS
from sandbox.requests import RequestRefused, headers_without_keys

logger = logging.getLogger(__name__)

URLCONF = urls.__name__
NOT_FOR_US = RequestRefused(HTTPStatus.MISDIRECTED_REQUEST, "The sandbox is not served under this name.")
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Application:
    """The WSGI application of one house."""

    def __init__(self, house: House, name: str = "") -> None:
        """`name` is the host name that it is served under, if it is one."""
        self._house = house
        self._name = name

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = SandboxRequest(environ)
        request.house = self._house
        request.seen = self._house.log.note(request, headers_without_keys(request.headers))
        try:
            answer = respond(request) if self._is_for_us(environ.get("HTTP_HOST", "")) else success_form(NOT_FOR_US)
        except Dropped as dropped:
            hang_up(environ["sandbox.handler"], dropped)
            raise
        request.seen.status = answer.status_code
        start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
        return answer

    def _is_for_us(self, host: str) -> bool:
        """Whether no page of another site can have pointed the name at us, to read our answers in a browser here.

        An address cannot be pointed elsewhere, and a name without a dot is nobody's on the internet.
        """
        name = host.rpartition(":")[0] or host
        return name == self._name or "." not in name or is_address(name)


def is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def error_form(path: str) -> ErrorForm:
    """How the vendor at this address writes an error; elsewhere, as the control API does."""
    return next((form for start, form in ERROR_FORMS.items() if path.startswith(start)), success_form)


def not_allowed(request: SandboxRequest, refused: NotAllowed) -> HttpResponseBase:
    answer = error_form(request.path_info)(refused)
    answer["Allow"] = refused.allowed
    return answer


def respond(request: SandboxRequest) -> HttpResponseBase:
    """The answer to a request; whatever breaks in a view becomes a 500 and a line in the log."""
    try:
        match = resolve(request.path_info, URLCONF)
    except Resolver404:
        return error_form(request.path_info)(RequestRefused(404, "There is nothing at this address."))
    try:
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    except Dropped:
        raise
    except NotAllowed as refused:
        answer = not_allowed(request, refused)
    except Exception:
        logger.exception("%s %s broke", request.method, request.path)
        broken = RequestRefused(HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox broke; see its log.")
        answer = error_form(request.path_info)(broken)
    finally:
        request.close()
    if "Content-Length" not in answer and not answer.streaming:
        answer["Content-Length"] = str(len(answer.content))  # type: ignore[attr-defined]  # not streaming
    return answer


def hang_up(handler: "Handler", dropped: Dropped) -> None:
    """Close the line under the handler, after whatever the client still gets."""
    connection = cast(socket, handler.connection)
    handler.close_connection = True
    if dropped.sent:
        connection.sendall(dropped.sent)
    if dropped.reset:
        # Closed without lingering, TCP says RST. The handler holds the socket too, so the line itself is closed.
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())
        return
    connection.shutdown(SHUT_RDWR)


class Handler(WSGIRequestHandler):
    # Head and body of an answer go out apart: on a kept connection the second would wait for the client's word on the
    # first, which is 40 ms away.
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["sandbox.handler"] = self
        # The vendor's Node SDK sends two Content-Type headers with a file; the last one has the boundary.
        if types := self.headers.get_all("Content-Type"):
            environ["CONTENT_TYPE"] = types[-1]
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


class Server(ThreadedWSGIServer):
    request_queue_size = 256

    def __init__(self, host: str, port: int, house: House) -> None:
        super().__init__((host, port), Handler)
        self.house = house
        self.set_app(Application(house, host))

    def server_bind(self) -> None:
        # http.server asks the name service for the host's full name here, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()
