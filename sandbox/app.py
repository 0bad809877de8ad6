"""The sandbox: SendGrid's API and a page where a person plays the recipients, behind one address of this machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from sandbox.control import Control
from sandbox.courier import Courier, Post, post
from sandbox.names import Names
from sandbox.names_control import NamesControl
from sandbox.recipients import Recipients
from sandbox.sendgrid import SendGrid
from sandbox.web import Request, Response, Router, as_json
from sandbox.world import World

_MINE = {"localhost", "127.0.0.1", "[::1]"}


class Sandbox:
    """Everything together. ``folder`` keeps the mails over a restart; ``deliver`` posts to the product."""

    def __init__(self, folder: Path | None = None, deliver: Post = post) -> None:
        self.world = World(folder)
        self.names = Names(folder)
        self.sendgrid = SendGrid(self.world, self.names)
        self.courier = Courier(self.world, deliver)
        self.recipients = Recipients(self.world, self.courier, self.sendgrid)
        self._router = Router()
        self.sendgrid.add_routes(self._router)
        Control(self.world, self.recipients, self.courier).add_routes(self._router)
        NamesControl(self.world, self.names).add_routes(self._router)

    def answer(self, request: Request) -> Response:
        """Only this machine's own names: no page on the internet can reach in by a name of its own."""
        host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
        origin = request.headers.get("origin", "")
        if host not in _MINE or (origin and origin != "null" and f"[{urlsplit(origin).hostname}]" not in _MINE
                                 and urlsplit(origin).hostname not in _MINE):  # fmt: skip
            return as_json({"errors": [{"message": "only for this machine", "field": None}]}, 403)
        return self._router.answer(request)
