"""A relay in front of the broker, so that a drill can cut it off as a broken network or a dead broker would."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """Passes bytes between ``port`` of the loopback address and the real server; ``cut`` ends and refuses everything."""

    def __init__(self, host: str, port: int, *, at: int = 0) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", at), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        threading.Thread(target=self._serve, name="relay", daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            ending, self._open = self._open, set()
        for connection in ending:
            _end(connection)

    def mend(self) -> None:
        self._is_cut = False

    def stop(self) -> None:
        self.cut()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = None if self._is_cut else socket.create_connection(self._target, timeout=5)
            except OSError:
                server = None
            if server is None:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=[source, target], daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for connection in (source, target):
            _end(connection)
        with self._lock:
            self._open -= {source, target}


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
