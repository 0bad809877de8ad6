"""A mail server of a few lines: it takes everything, keeps it, and can be told to say or do something else."""

from __future__ import annotations

import random
import socketserver
import threading
import time
from collections import Counter
from email import policy
from email.parser import BytesHeaderParser


class MailServer:
    """Listens on a free port of the loopback address until ``stop``.

    ``script`` names another answer at a step: ``connect``, a verb, or ``END`` for the end of the data; ``hang up`` closes the
    connection there. What was taken stands in ``taken``. ``distance`` is how long the end of the data takes, in seconds.
    """

    def __init__(self, port: int = 0, distance: tuple[float, float] = (0.0, 0.0)) -> None:
        self.script: dict[str, str] = {}
        self.taken: list[bytes] = []
        self.distance = distance
        self._server = _Server(("127.0.0.1", port), _Conversation)
        self._server.owner = self
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def accepts(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(_message_id(raw) for raw in list(self.taken))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    owner: MailServer

    def handle_error(self, request: object, client_address: object) -> None:
        """The client left, or we hung up on purpose."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("connect", "220 ready")
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode() if line.split() else ""
            if verb == "QUIT":
                return
            if verb != "DATA":
                self._say(verb, "250 fine")
            elif self._say("DATA", "354 go on"):
                self._take()

    def _take(self) -> None:
        body = b""
        while not body.endswith(b"\r\n.\r\n"):
            line = self.rfile.readline()
            if not line:
                return  # cut in the middle: nothing was taken
            body += line
        owner = self.server.owner
        time.sleep(random.uniform(*owner.distance))
        # Taken before it is answered: whether the client still hears the answer is the client's trouble.
        if owner.script.get("END") in {None, "250 taken"}:
            owner.taken.append(body)
        self._say("END", "250 taken")

    def _say(self, step: str, usual: str) -> bool:
        answer = self.server.owner.script.get(step, usual)
        if answer == "hang up":
            self.connection.close()
            raise ConnectionAbortedError
        self.wfile.write(f"{answer}\r\n".encode())
        return answer == usual


def _message_id(raw: bytes) -> str:
    return str(BytesHeaderParser(policy=policy.compat32).parsebytes(raw)["Message-ID"] or "").strip()
