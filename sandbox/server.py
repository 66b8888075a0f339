"""The sandbox server: Django's request, URLs and responses on Django's threaded WSGI server.

It uses no Django handler and therefore no middleware: no login, session, CSRF check or dashboard database.
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
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import MethodNotAllowed, render_default_error
from sandbox.fault_actions import ConnectionDropped, ErrorRenderer
from sandbox.registry import ERROR_RENDERERS
from sandbox.requests import RequestRefused, redact_keys

logger = logging.getLogger(__name__)

URLCONF = urls.__name__
UNKNOWN_HOST = RequestRefused(HTTPStatus.MISDIRECTED_REQUEST, "The sandbox is not served under this name.")
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Application:
    """The WSGI application of one sandbox."""

    def __init__(self, context: SandboxContext, host_name: str = "") -> None:
        """`host_name` is the name or address under which the sandbox is served."""
        self._context = context
        self._host_name = host_name

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = SandboxRequest(environ)
        request.context = self._context
        request.entry = self._context.log.record_request(request, redact_keys(request.headers))
        try:
            response = (
                handle_request(request)
                if self._is_own_host(environ.get("HTTP_HOST", ""))
                else render_default_error(UNKNOWN_HOST)
            )
        except ConnectionDropped as dropped:
            close_connection(environ["sandbox.handler"], dropped)
            raise
        request.entry.status = response.status_code
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return response

    def _is_own_host(self, host: str) -> bool:
        """Whether the Host header is safe from DNS rebinding, by which another site could read the sandbox's responses.

        An address cannot be rebound, and a name without a dot has no owner on the internet.
        """
        name = host.rpartition(":")[0] or host
        return name == self._host_name or "." not in name or is_ip_address(name)


def is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def find_error_renderer(path: str) -> ErrorRenderer:
    """The error renderer of the vendor at this path; at other paths, the renderer of the control API."""
    return next(
        (renderer for prefix, renderer in ERROR_RENDERERS.items() if path.startswith(prefix)), render_default_error
    )


def render_method_not_allowed(request: SandboxRequest, refused: MethodNotAllowed) -> HttpResponseBase:
    response = find_error_renderer(request.path_info)(refused)
    response["Allow"] = refused.allowed_methods
    return response


def handle_request(request: SandboxRequest) -> HttpResponseBase:
    """Call the view of a request. An unexpected error becomes a 500 and a log entry."""
    try:
        match = resolve(request.path_info, URLCONF)
    except Resolver404:
        return find_error_renderer(request.path_info)(RequestRefused(404, "There is nothing at this address."))
    try:
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    except ConnectionDropped:
        raise
    except MethodNotAllowed as refused:
        response = render_method_not_allowed(request, refused)
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        failure = RequestRefused(HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox failed. See its log.")
        response = find_error_renderer(request.path_info)(failure)
    finally:
        request.close()
    if "Content-Length" not in response and not response.streaming:
        response["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]  # not streaming
    return response


def close_connection(handler: "Handler", dropped: ConnectionDropped) -> None:
    """Send the partial response, if any, and close or reset the connection of the handler."""
    connection = cast(socket, handler.connection)
    handler.close_connection = True
    if dropped.partial_response:
        connection.sendall(dropped.partial_response)
    if dropped.reset:
        # With a linger time of 0, closing sends RST. The handler also holds the socket, so the descriptor is closed.
        connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())
        return
    connection.shutdown(SHUT_RDWR)


class Handler(WSGIRequestHandler):
    # Head and body of a response are sent separately. On a persistent connection, Nagle's algorithm would delay the
    # body until the client's delayed ACK of the head, 40 ms later.
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["sandbox.handler"] = self
        # The vendor's Node SDK sends two Content-Type headers with a file. The last one has the boundary.
        if types := self.headers.get_all("Content-Type"):
            environ["CONTENT_TYPE"] = types[-1]
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


class Server(ThreadedWSGIServer):
    request_queue_size = 256

    def __init__(self, host: str, port: int, context: SandboxContext) -> None:
        super().__init__((host, port), Handler)
        self.context = context
        self.set_app(Application(context, host))

    def server_bind(self) -> None:
        # Skips http.server's lookup of the host's full name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()
