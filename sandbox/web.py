"""The few pieces of a web framework the sandbox needs: requests, answers, routes and a threaded server.

The sandbox stands outside of the product: it shares no code with it and speaks to it over HTTP only.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LARGEST_BODY = 30 * 2**20


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The last value of each field of an ordinary form."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.body)


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class HangUp(Exception):
    """Close the connection without an answer."""


def as_json(data: Any, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(data).encode(), {"Content-Type": "application/json", **named})


def as_page(html: str, status: int = 200) -> Response:
    return Response(status, html.encode(), {"Content-Type": "text/html; charset=utf-8"})


def redirect(path: str) -> Response:
    return Response(303, headers={"Location": path})


View = Callable[..., Response]


class Router:
    """Routes by method and pattern; ``<name>`` in a pattern is one segment, handed over by name."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], View]] = []

    def add(self, method: str, pattern: str, view: View) -> None:
        expression = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", pattern)
        self._routes.append((method, re.compile(f"{expression}$"), view))

    def answer(self, request: Request) -> Response:
        allowed = set()
        for method, pattern, view in self._routes:
            match = pattern.match(request.path)
            if not match:
                continue
            if method == request.method:
                return view(request, **match.groupdict())
            allowed.add(method)
        if allowed:
            return as_json(
                {"errors": [{"message": "method not allowed", "field": None}]}, 405, Allow=", ".join(allowed)
            )
        return as_json({"errors": [{"message": "not found", "field": None}]}, 404)


def make_handler(answer: Callable[[Request], Response]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "sandbox"
        disable_nagle_algorithm = True
        wbufsize = 65_536
        timeout = 60

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            if size > LARGEST_BODY:
                self._send(as_json({"errors": [{"message": "payload too large", "field": None}]}, 413))
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            request = Request(
                method=self.command,
                path=parts.path,
                query=parse_qs(parts.query),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(size),
            )
            try:
                response = answer(request)
            except HangUp:
                self.close_connection = True
                return
            self._send(response)

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - the base class names them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """The control page shows what happened."""

    return Handler


class _Threaded(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """The client left in the middle, as a killed worker does."""


class Server:
    """A threaded HTTP/1.1 server on the loopback address. ``port`` 0 takes any free one."""

    def __init__(self, answer: Callable[[Request], Response], port: int = 0) -> None:
        self._server = _Threaded(("127.0.0.1", port), make_handler(answer))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, name="sandbox", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join(timeout=5)


def first(values: Iterable[str], default: str = "") -> str:
    return next(iter(values), default)
