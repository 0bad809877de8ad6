"""The sandbox in a thread, for tests and benches."""

from __future__ import annotations

from pathlib import Path

from sandbox.app import Sandbox
from sandbox.courier import Post, post
from sandbox.names import NameServer
from sandbox.web import Server


class RunningSandbox(Sandbox):
    """A sandbox that listens on a free port until ``stop``. Events are delivered by ``courier.flush`` or ``courier.start``."""

    def __init__(self, folder: Path | None = None, deliver: Post = post, port: int = 0) -> None:
        super().__init__(folder, deliver)
        self._server = Server(self.answer, port)
        self.name_server = NameServer(self.names)
        self.url = self._server.url
        self._server.start()
        self.name_server.start()

    def stop(self) -> None:
        self.courier.stop()
        self._server.stop()
        self.name_server.stop()
