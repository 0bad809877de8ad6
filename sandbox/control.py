"""The pages on which a person plays the recipients of the mails, and the faults of the provider."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.template import Context, Engine

from sandbox.answers import KINDS
from sandbox.courier import Courier
from sandbox.recipients import NobodyListens, Recipients, links_in
from sandbox.web import Request, Response, Router, as_json, as_page, first, redirect
from sandbox.world import Fault, Mail, World

PAGE = 50
_engine = Engine(dirs=[str(Path(__file__).parent / "templates")])
_BULK = ("open", "click", "reply", "bounce", "complain", "unsubscribe")


class Control:
    def __init__(self, world: World, recipients: Recipients, courier: Courier) -> None:
        self.world, self.recipients, self.courier = world, recipients, courier

    def add_routes(self, router: Router) -> None:
        for method, path, view in (
            ("GET", "/", self.index),
            ("GET", "/mails/<mail>", self.show),
            ("GET", "/mails/<mail>/body", self.body),
            ("POST", "/mails/<mail>/do", self.act),
            ("POST", "/play", self.play),
            ("POST", "/faults", self.add_fault),
            ("POST", "/forget", self.forget),
            ("GET", "/livez", self.livez),
            ("GET", "/look.css", self.css),
            ("GET", "/favicon.ico", lambda request: Response(204)),
        ):
            router.add(method, path, view)

    def livez(self, request: Request) -> Response:
        return as_json({"status": "ok"})

    def css(self, request: Request) -> Response:
        body = (Path(__file__).parent / "templates" / "sandbox" / "look.css").read_bytes()
        return Response(200, body, {"Content-Type": "text/css; charset=utf-8"})

    def index(self, request: Request) -> Response:
        wanted = first(request.query.get("q", [])).strip()
        mails = [mail for mail in self.world.newest() if wanted.lower() in f"{mail.to} {mail.subject}".lower()]
        page = max(0, int(first(request.query.get("page", ["0"])) or 0))
        shown = mails[page * PAGE : (page + 1) * PAGE]
        return self._page(
            "list.html", request, mails=[_summary(mail) for mail in shown], total=len(mails), q=wanted,
            next=urlencode({"q": wanted, "page": page + 1}) if len(mails) > (page + 1) * PAGE else "",
            actions=_BULK, owed=len(self.world.owed), refused=_refused(self.courier.last_status),
            faults=list(self.world.faults),
        )  # fmt: skip

    def show(self, request: Request, mail: str) -> Response:
        found = self.world.mails.get(mail)
        if found is None:
            return as_page("<p>No such mail.</p>", 404)
        account = self.world.account(found.account)
        domain = found.reply_to.rpartition("@")[2].lower()
        return self._page(
            "mail.html", request, mail=found, summary=_summary(found), links=links_in(found),
            happened=[{**event, "when": _when(event["timestamp"])} for event in reversed(found.events)],
            kinds=KINDS.items(), can_reply=domain in account.parse, domain=domain,
        )  # fmt: skip

    def body(self, request: Request, mail: str) -> Response:
        """The HTML of a mail, for a frame that runs no scripts."""
        found = self.world.mails.get(mail)
        response = as_page(found.html if found else "", 200 if found else 404)
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        return response

    def act(self, request: Request, mail: str) -> Response:
        found = self.world.mails.get(mail)
        if found is None:
            return as_page("<p>No such mail.</p>", 404)
        form = request.form
        said = self._do(found, form.get("action", ""), form)
        return redirect(f"/mails/{mail}?{urlencode({'said': said})}")

    def play(self, request: Request) -> Response:
        """Let many recipients do something: ``open=20&reply=5``."""
        form, said = request.form, []
        for action in _BULK:
            number = int(form.get(action) or 0)
            free = [
                mail for mail in self.world.newest() if not _is_over(mail) and not mail.has(_EVENT.get(action, action))
            ]
            if action == "reply":
                free = [mail for mail in free if not mail.replies]
            chosen = random.sample(free, min(number, len(free)))
            for mail in chosen:
                self._do(mail, action, {})
            if chosen:
                said.append(f"{len(chosen)} × {action}")
        return redirect(f"/?{urlencode({'said': ', '.join(said) or 'Nobody left to do that.'})}")

    def _do(self, mail: Mail, action: str, form: dict[str, str]) -> str:
        """Play one action and say what happened."""
        recipients = self.recipients
        if action in {"open", "machine_open"}:
            done = recipients.open(mail, machine=action == "machine_open")
            return "Opened." if done else "Opens of this mail are not tracked."
        if action == "click":
            url = form.get("url") or next(iter(links_in(mail)), "")
            if not url:
                return "There is no link in this mail."
            if not mail.has("open"):
                recipients.open(mail)
            return "Clicked." if recipients.click(mail, url) else "Clicks of this mail are not tracked."
        if action == "reply":
            return self._answered(lambda: recipients.reply(mail, form.get("text", "").strip()))
        if action == "answer" and form.get("kind") in KINDS:
            return self._answered(lambda: recipients.answer_as(mail, form["kind"]))
        if action == "unsubscribe":
            status = recipients.unsubscribe(mail)
            return "Unsubscribed." if 200 <= status < 300 else f"The product answered {status or 'nothing'}."
        simple = {"bounce": recipients.bounce, "complain": recipients.complain, "defer": recipients.defer}
        if action in simple:
            simple[action](mail)
            return "Done."
        return "Nothing of that name can be done."

    def _answered(self, send: Callable[[], int]) -> str:
        try:
            status = send()
        except NobodyListens as error:
            return f"Nobody receives mail for {error}: set the mailbox's reply domain."
        return "Answered." if 200 <= status < 300 else f"The product answered {status or 'nothing'}."

    def add_fault(self, request: Request) -> Response:
        form = request.form
        if form.get("kind") in {"429", "500", "503", "timeout", "hangup", "lost", "garbage"}:
            wait = 40.0 if form["kind"] == "timeout" else 20.0
            self.world.faults.append(Fault(form["kind"], max(1, int(form.get("times") or 1)), wait))
        elif form.get("kind") == "none":
            self.world.faults.clear()
        return redirect("/")

    def forget(self, request: Request) -> Response:
        self.world.forget_mails()
        return redirect("/")

    def _page(self, template: str, request: Request, **context: Any) -> Response:
        context["said"] = first(request.query.get("said", []))
        html = _engine.get_template(f"sandbox/{template}").render(Context(context))
        return as_page(html)


_MARKS = ("dropped", "bounce", "deferred", "delivered", "open", "click", "unsubscribe", "spamreport")
_EVENT = {"complain": "spamreport"}


def _is_over(mail: Mail) -> bool:
    return mail.has("bounce") or mail.has("dropped")


def _refused(status: int | None) -> str:
    if status is None or 200 <= status < 300:
        return ""
    return f"The product answered the last delivery with {status}." if status else "The product cannot be reached."


def _when(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).astimezone().strftime("%d %b %H:%M:%S")


def _summary(mail: Mail) -> dict[str, Any]:
    marks = [
        kind
        for kind in ("dropped", "bounce", "deferred", "delivered", "open", "click", "unsubscribe", "spamreport")
        if mail.has(kind)
    ]
    age = int(time.time() - mail.at)
    ago = f"{age} s" if age < 60 else f"{age // 60} min" if age < 3600 else f"{age // 3600} h"
    return {
        "id": mail.id, "to": mail.to, "subject": mail.subject, "sender": mail.sender, "when": _when(mail.at), "ago": ago,
        "marks": marks + (["replied"] if mail.replies else []),
    }  # fmt: skip
