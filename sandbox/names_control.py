"""The page on which a person plays the administrator of the DNS: take records away, put others in, let it fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.template import Context, Engine

from sandbox.names import FAULTS, TYPES, Names
from sandbox.web import Request, Response, Router, as_page, first, redirect
from sandbox.world import World

_engine = Engine(dirs=[str(Path(__file__).parent / "templates")])


class NamesControl:
    def __init__(self, world: World, names: Names) -> None:
        self.world, self.names = world, names

    def add_routes(self, router: Router) -> None:
        for method, path, view in (
            ("GET", "/names", self.index),
            ("POST", "/names/add", self.add),
            ("POST", "/names/remove", self.remove),
            ("POST", "/names/fault", self.fault),
            ("POST", "/names/publish", self.publish),
        ):
            router.add(method, path, view)

    def index(self, request: Request) -> Response:
        with self.names.lock:
            rows = [
                {"name": name, "type": kind, "value": value}
                for name in sorted(self.names.records, key=lambda name: name.split(".")[::-1])
                for kind, value in self.names.records[name]
            ]
            faults = dict(self.names.faults)
        domains = sorted({domain for account in self.world.accounts.values() for domain in account.domains})
        context: dict[str, Any] = {
            "rows": rows, "faults": faults.items(), "domains": domains, "types": TYPES, "kinds": FAULTS,
            "said": first(request.query.get("said", [])),
        }  # fmt: skip
        return as_page(_engine.get_template("sandbox/names.html").render(Context(context)))

    def add(self, request: Request) -> Response:
        form = request.form
        name, kind, value = form.get("name", "").strip(), form.get("type", ""), form.get("value", "").strip()
        if not name or kind not in TYPES or not value:
            return _said("Give a name, a type and a value.")
        try:
            self.names.put(name, kind, value)
        except ValueError as error:
            return _said(str(error))
        return _said(f"{name} has this {kind} record now.")

    def remove(self, request: Request) -> Response:
        form = request.form
        self.names.remove(form.get("name", ""), form.get("type", ""), form.get("value", ""))
        return _said(f"The {form.get('type', '')} record of {form.get('name', '')} is gone.")

    def fault(self, request: Request) -> Response:
        name, kind = request.form.get("name", "").strip(), request.form.get("kind", "")
        self.names.fail(name, kind)
        return _said(f"Questions about {name} meet: {kind}." if kind in FAULTS else f"{name} answers again.")

    def publish(self, request: Request) -> Response:
        domain = request.form.get("domain", "").strip()
        self.names.publish(domain)
        return _said(f"{domain} has every record it should have.")


def _said(words: str) -> Response:
    return redirect(f"/names?{urlencode({'said': words})}")
