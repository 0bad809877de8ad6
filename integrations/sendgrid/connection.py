"""One kept connection behind SendGrid's SDK, so that a mail costs one round trip and its outcome can be told.

The SDK opens a new connection per call with urllib, which cannot say whether a failure came before or after the request
left. Here connecting is a step of its own: what fails in it was certainly not sent.
"""

import http.client
import select
import ssl
import time
from email.message import Message as HeaderMessage
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

import python_http_client
from python_http_client.exceptions import handle_error

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 25.0
LONGEST_IDLE = 4.0
"""Seconds a kept connection may rest before it is taken for closed; a new one is cheaper than a lost answer."""


class CouldNotConnect(OSError):
    """No byte of the request has left."""


class Answer:
    """A finished HTTP answer in the shape the SDK reads."""

    def __init__(self, status: int, headers: HeaderMessage, body: bytes) -> None:
        self._status, self._headers, self._body = status, headers, body

    def getcode(self) -> int:
        return self._status

    def read(self) -> bytes:
        return self._body

    def info(self) -> HeaderMessage:
        return self._headers


class KeptConnection:
    """A connection to one host, opened when needed and closed by ``close``. Not for several threads at once."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection | None = None
        self._last_used = 0.0

    def request(self, request: Request) -> Answer:
        """Send one request, never twice. Raises CouldNotConnect; OSError or HTTPException once bytes may have left."""
        connection = self._usable() or self._connect()
        self._connection = None  # kept again only after a clean answer
        try:
            connection.request(request.get_method(), request.selector, body=request.data, headers=dict(request.headers))
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._connection, self._last_used = connection, time.monotonic()
        return Answer(response.status, response.headers, body)

    def _usable(self) -> http.client.HTTPConnection | None:
        connection = self._connection
        if connection is None or connection.sock is None:
            return None
        # A readable idle socket means the other side has hung up.
        hung_up = bool(select.select([connection.sock], [], [], 0)[0])
        if hung_up or time.monotonic() - self._last_used > LONGEST_IDLE:
            self.close()
            return None
        return connection

    def _connect(self) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_TIMEOUT, context=ssl.create_default_context()
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise CouldNotConnect(str(error)) from error
        connection.sock.settimeout(ANSWER_TIMEOUT)
        return connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class KeptClient(python_http_client.Client):  # type: ignore[misc]  # the SDK has no types
    """The SDK's HTTP client over a ``KeptConnection``."""

    def __init__(self, *, connection: KeptConnection, **options: Any) -> None:
        super().__init__(**options)
        self.connection = connection

    def _build_client(self, name: str | None = None) -> "KeptClient":
        return KeptClient(
            connection=self.connection,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )

    def _make_request(self, opener: Any, request: Request, timeout: float | None = None) -> Answer:
        answer = self.connection.request(request)
        if answer.getcode() >= 400:
            refused = HTTPError(request.full_url, answer.getcode(), "refused", answer.info(), None)
            refused.read = answer.read  # type: ignore[method-assign, assignment]
            raise handle_error(refused) from None
        return answer
