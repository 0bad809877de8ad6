"""SendGrid's v3 API as its specification and its documented answers describe it, strict enough for the real SDK.

Mail Send, scopes, the settings of the event webhook and of Inbound Parse.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from sandbox.names import Names, wanted_by_sendgrid
from sandbox.web import HangUp, Request, Response, Router, as_json, first
from sandbox.world import Account, Fault, Hook, Mail, World, new_id

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+$|[^@\s<>,;\"]+@localhost$")
_TOP = {
    "personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id", "headers",
    "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings", "tracking_settings",
}  # fmt: skip
_PERSONAL = {
    "from", "to", "cc", "bcc", "subject", "headers", "substitutions", "dynamic_template_data", "custom_args", "send_at",
}  # fmt: skip
_RESERVED_HEADERS = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"


class Invalid(Exception):
    """A 400 with the list of errors."""

    def __init__(self, errors: list[tuple[str | None, str]]) -> None:
        self.errors = errors


class SendGrid:
    """The API on top of a ``World``."""

    def __init__(self, world: World, names: Names) -> None:
        self.world, self.names = world, names

    def add_routes(self, router: Router) -> None:
        hooks = "/v3/user/webhooks/event/settings"
        parse = "/v3/user/webhooks/parse/settings"
        for method, path, view in (
            ("POST", "/v3/mail/send", self.send),
            ("POST", "/v3/templates", self.add_template),
            ("PATCH", "/v3/templates/<template>", self.rename_template),
            ("POST", "/v3/templates/<template>/versions", self.add_version),
            ("GET", "/v3/scopes", self.scopes),
            ("GET", "/v3/user/profile", self.profile),
            ("GET", f"{hooks}/all", self.list_hooks),
            ("POST", hooks, self.add_hook),
            ("DELETE", f"{hooks}/<hook>", self.remove_hook),
            ("GET", f"{hooks}/signed/<hook>", self.public_key),
            ("PATCH", f"{hooks}/signed/<hook>", self.sign_hook),
            ("GET", parse, self.list_parse),
            ("POST", parse, self.add_parse),
            ("GET", "/v3/whitelabel/domains", self.list_domains),
            ("POST", "/v3/whitelabel/domains", self.add_domain),
        ):
            router.add(method, path, self._known(view))

    def _known(self, view: Any) -> Any:
        """Let in whoever shows a key, as every endpoint asks."""

        def wrapper(request: Request, **arguments: str) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer" or not key.startswith("SG.") or len(key) < 10 or self.world.account(key).revoked:
                message = "The provided authorization grant is invalid, expired, or revoked"
                return as_json({"errors": [{"field": None, "message": message}]}, 401)
            try:
                answer: Response = view(self.world.account(key), request, **arguments)
            except Invalid as invalid:
                errors = [{"message": message, "field": field, "help": _HELP} for field, message in invalid.errors]
                return as_json({"errors": errors}, 400)
            return answer

        return wrapper

    # --- Mail Send ---

    def send(self, account: Account, request: Request) -> Response:
        self.world.requests += 1
        fault = self.world.next_fault()
        if fault and fault.kind not in {"lost", "garbage", "last"}:
            return _play(fault)
        try:
            body = request.json()
        except ValueError as error:
            raise Invalid([(None, "Bad Request")]) from error
        check(body)
        message_id = self._take(account, body)
        if fault and fault.kind == "lost":
            raise HangUp
        if fault and fault.kind == "garbage":
            return Response(202, b"<html>welcome to the hotel wifi</html>", {"Content-Type": "text/html"})
        headers = {"X-Message-Id": message_id, "Content-Type": "text/plain"}
        if fault and fault.kind == "last":
            reset = str(int(time.time() + fault.wait))
            headers |= {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return Response(202, headers=headers)

    def _take(self, account: Account, body: dict[str, Any]) -> str:
        message_id = new_id()
        contents = {part["type"]: part["value"] for part in body.get("content", [])}
        tracking = body.get("tracking_settings", {})
        number = 0
        for personal in body["personalizations"]:
            sender = personal.get("from") or body["from"]
            for to in [*personal["to"], *personal.get("cc", []), *personal.get("bcc", [])]:
                mail = Mail(
                    id=message_id if number == 0 else f"{message_id}{number}",
                    account=account.key,
                    to=to["email"],
                    sender=sender["email"],
                    sender_name=sender.get("name", ""),
                    reply_to=body.get("reply_to", sender)["email"],
                    subject=personal.get("subject") or body.get("subject", ""),
                    text=contents.get("text/plain", ""),
                    html=contents.get("text/html", ""),
                    headers={**body.get("headers", {}), **personal.get("headers", {})},
                    custom_args={**body.get("custom_args", {}), **personal.get("custom_args", {})},
                    categories=body.get("categories", []),
                    tracks_opens=bool(tracking.get("open_tracking", {}).get("enable", False)),
                    tracks_clicks=bool(tracking.get("click_tracking", {}).get("enable", False)),
                    at=time.time(),
                )
                self.world.accept(mail)
                self._begin(account, mail)
                number += 1
        return message_id

    def _begin(self, account: Account, mail: Mail) -> None:
        """What happens by itself: processed, then dropped, bounced or delivered."""
        reason = account.suppressed.get(mail.to.lower())
        if reason:
            self.world.record(mail, "dropped", reason=reason, status="5.0.0")
            return
        self.world.record(mail, "processed")
        if mail.to.lower().startswith("bounce"):
            self.bounce(mail)
        elif self.world.delivers_by_itself:
            self.world.record(mail, "delivered", response="250 OK", ip="127.0.0.1", tls=1)

    def bounce(self, mail: Mail) -> None:
        """The address does not exist; further mail to it is dropped."""
        self.world.record(
            mail, "bounce", type="bounce", status="5.1.1", reason="550 5.1.1 The account does not exist",
            bounce_classification="Invalid Address",
        )  # fmt: skip
        self.world.account(mail.account).suppressed[mail.to.lower()] = "Bounced Address"
        self.world.keep_settings()

    # --- Templates ---

    def add_template(self, account: Account, request: Request) -> Response:
        body = _object(request)
        name = body.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= 100 or body.get("generation") != "dynamic":
            raise Invalid([("name", "name must be between 1 and 100 characters")])
        template_id = f"d-{uuid.uuid4().hex}"
        account.templates[template_id] = {"id": template_id, "name": name, "generation": "dynamic", "versions": []}
        return as_json(account.templates[template_id], 201)

    def rename_template(self, account: Account, request: Request, template: str) -> Response:
        found = account.templates.get(template)
        if found is None:
            return as_json({"error": "Template not found"}, 404)
        found["name"] = _object(request).get("name", found["name"])
        return as_json(found)

    def add_version(self, account: Account, request: Request, template: str) -> Response:
        found = account.templates.get(template)
        if found is None:
            return as_json({"error": "Template not found"}, 404)
        body = _object(request)
        missing = [name for name in ("name", "subject") if not isinstance(body.get(name), str) or not body[name]]
        if missing:
            raise Invalid([(name, f"{name} is required") for name in missing])
        version = {"id": str(uuid.uuid4()), "template_id": template, **body}
        for other in found["versions"]:
            other["active"] = 0
        found["versions"].append(version)
        return as_json(version, 201)

    # --- The account ---

    def scopes(self, account: Account, request: Request) -> Response:
        return as_json(
            {"scopes": ["mail.send", "user.webhooks.event.settings.update", "user.webhooks.parse.settings.create"]}
        )

    def profile(self, account: Account, request: Request) -> Response:
        return as_json({"userid": 1, "first_name": "Sandbox", "last_name": "Account", "company": "EventOps sandbox"})

    def list_hooks(self, account: Account, request: Request) -> Response:
        return as_json({"max_allowed": 5, "webhooks": [self._hook(hook) for hook in account.hooks.values()]})

    def add_hook(self, account: Account, request: Request) -> Response:
        body = _object(request)
        url = body.get("url", "")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise Invalid([("url", "url must be a valid URL")])
        wants = {name: bool(value) for name, value in body.items() if isinstance(value, bool)}
        hook = Hook(id=str(uuid.uuid4()), url=url, wants=wants)
        account.hooks[hook.id] = hook
        self.world.keep_settings()
        return as_json(self._hook(hook), 201)

    def remove_hook(self, account: Account, request: Request, hook: str) -> Response:
        account.hooks.pop(hook, None)
        self.world.keep_settings()
        return Response(204)

    def sign_hook(self, account: Account, request: Request, hook: str) -> Response:
        found = account.hooks.get(hook)
        body = _object(request)
        if found is None:
            return as_json({"errors": [{"field": None, "message": "not found"}]}, 404)
        if not isinstance(body.get("enabled"), bool):
            raise Invalid([("enabled", "enabled is required")])
        found.signed = body["enabled"]
        self.world.keep_settings()
        return self.public_key(account, request, hook)

    def public_key(self, account: Account, request: Request, hook: str) -> Response:
        found = account.hooks.get(hook)
        if found is None:
            return as_json({"errors": [{"field": None, "message": "not found"}]}, 404)
        return as_json({"id": hook, "public_key": self.world.public_key if found.signed else ""})

    def _hook(self, hook: Hook) -> dict[str, Any]:
        shown = {"id": hook.id, "url": hook.url, **hook.wants}
        return {**shown, "public_key": self.world.public_key} if hook.signed else shown

    def list_parse(self, account: Account, request: Request) -> Response:
        return as_json({"result": list(account.parse.values())})

    def add_parse(self, account: Account, request: Request) -> Response:
        body = _object(request)
        missing = [(name, f"{name} is required") for name in ("url", "hostname") if not body.get(name)]
        if missing:
            raise Invalid(list(missing))
        entry = {
            "url": body["url"], "hostname": body["hostname"],
            "spam_check": bool(body.get("spam_check")), "send_raw": bool(body.get("send_raw")),
        }  # fmt: skip
        account.parse[entry["hostname"]] = entry
        self.names.receive_replies(entry["hostname"])
        self.world.keep_settings()
        return as_json(entry, 201)

    # --- Authenticated domains ---

    def list_domains(self, account: Account, request: Request) -> Response:
        wanted = first(request.query.get("domain", []))
        return as_json([self._domain(name) for name in account.domains if wanted in name])

    def add_domain(self, account: Account, request: Request) -> Response:
        """The zone then has every record that is asked for: whoever plays here has pasted them."""
        domain = _object(request).get("domain")
        if not isinstance(domain, str) or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
            raise Invalid([("domain", "domain is not valid")])
        if domain not in account.domains:
            account.domains.append(domain)
            self.names.publish(domain)
            self.world.keep_settings()
        return as_json(self._domain(domain), 201)

    def _domain(self, domain: str) -> dict[str, Any]:
        wanted = wanted_by_sendgrid(domain)
        return {
            "id": sum(domain.encode()), "user_id": 1, "subdomain": wanted["mail_cname"]["host"].partition(".")[0],
            "domain": domain, "username": "sandbox", "ips": [], "custom_spf": False, "default": False, "legacy": False,
            "automatic_security": True, "valid": False,
            "dns": {name: {"valid": False, **entry} for name, entry in wanted.items()},
        }  # fmt: skip


def _play(fault: Fault) -> Response:
    if fault.kind == "429":
        return as_json(
            {"errors": [{"field": None, "message": "too many requests"}]}, 429,
            X_RateLimit_Limit="600", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(time.time() + fault.wait)),
        )  # fmt: skip
    if fault.kind == "timeout":
        time.sleep(fault.wait)
        raise HangUp
    if fault.kind == "hangup":
        raise HangUp
    return as_json({"errors": [{"field": None, "message": "internal error"}]}, int(fault.kind))


def _object(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        raise Invalid([(None, "Bad Request")]) from error
    if not isinstance(body, dict):
        raise Invalid([(None, "Bad Request")])
    return body


# --- What Mail Send accepts ---


def check(body: Any) -> None:
    """Raises Invalid with every error found."""
    if not isinstance(body, dict):
        raise Invalid([(None, "Bad Request")])
    errors: list[tuple[str | None, str]] = [
        (name, f"Unknown parameter {name!r}: additional properties are not allowed.") for name in set(body) - _TOP
    ]
    errors += _check_sender(body)
    errors += _check_content(body)
    errors += _check_headers("headers", body.get("headers", {}))
    errors += _check_arguments("custom_args", body.get("custom_args", {}))
    errors += _check_categories(body.get("categories", []))
    personal = body.get("personalizations")
    if not isinstance(personal, list) or not personal:
        errors.append(
            ("personalizations", "The personalizations field is required and must have at least one personalization.")
        )
    elif len(personal) > 1000:
        errors.append(("personalizations", "There must be no more than 1000 personalizations."))
    else:
        for number, entry in enumerate(personal):
            errors += _check_personalization(f"personalizations.{number}", entry, body)
    if errors:
        raise Invalid(errors)


Errors = list[tuple[str | None, str]]


def _check_sender(body: dict[str, Any]) -> Errors:
    sender = body.get("from")
    if not isinstance(sender, dict) or not sender.get("email"):
        return [("from.email", "The from object must be provided for every email send.")]
    errors: Errors = []
    if not _is_address(sender["email"]):
        errors.append(("from.email", "The from email does not contain a valid address."))
    reply_to = body.get("reply_to")
    if reply_to is not None and not (isinstance(reply_to, dict) and _is_address(reply_to.get("email"))):
        errors.append(("reply_to.email", "The reply_to email does not contain a valid address."))
    return errors


def _check_content(body: dict[str, Any]) -> Errors:
    content = body.get("content")
    if content is None and body.get("template_id"):
        return []
    if not isinstance(content, list) or not content:
        return [("content", "Unless a valid template_id is provided, the content parameter is required.")]
    errors: Errors = []
    for number, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str) or not part["type"]:
            errors.append((f"content.{number}.type", "The content type is required."))
        elif not isinstance(part.get("value"), str) or not part["value"]:
            errors.append(
                (f"content.{number}.value", "The content value must be a string at least one character in length.")
            )
    if not errors:
        types = [part["type"] for part in content]
        if "text/plain" in types[1:]:
            errors.append(("content", "If present, text/plain must be first, followed by text/html."))
    return errors


def _check_headers(where: str, headers: Any) -> Errors:
    if not isinstance(headers, dict):
        return [(where, "The headers parameter must be an object.")]
    errors: Errors = []
    for name, value in headers.items():
        if name.lower() in _RESERVED_HEADERS:
            errors.append((f"{where}.{name}", f"The header {name} is reserved and may not be used."))
        if not isinstance(value, str):
            errors.append((f"{where}.{name}", "Header values must be strings."))
        elif "\n" in value or "\r" in value or not name.isascii() or not name.isprintable():
            errors.append((f"{where}.{name}", "Headers must not contain line breaks or other than ASCII names."))
    return errors


def _check_arguments(where: str, arguments: Any) -> Errors:
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        return [(where, "Custom arguments must be an object of strings.")]
    if sum(len(name) + len(value) for name, value in arguments.items()) > 10_000:
        return [(where, "Custom arguments may not exceed 10,000 bytes.")]
    return []


def _check_categories(categories: Any) -> Errors:
    if not isinstance(categories, list) or len(categories) > 10 or len(set(map(str, categories))) != len(categories):
        return [("categories", "There may be at most 10 categories, each once.")]
    if any(not isinstance(name, str) or len(name) > 255 for name in categories):
        return [("categories", "A category is a string of at most 255 characters.")]
    return []


def _check_personalization(where: str, entry: Any, body: dict[str, Any]) -> Errors:
    if not isinstance(entry, dict):
        return [(where, "A personalization must be an object.")]
    errors: Errors = [(f"{where}.{name}", f"Unknown parameter {name!r}.") for name in set(entry) - _PERSONAL]
    recipients = []
    for field in ("to", "cc", "bcc"):
        for number, address in enumerate(entry.get(field) or []):
            if not isinstance(address, dict) or not _is_address(address.get("email")):
                errors.append((f"{where}.{field}.{number}.email", "Does not contain a valid address."))
            else:
                recipients.append(address["email"].lower())
    if not entry.get("to"):
        errors.append(
            (
                f"{where}.to",
                "The to array is required and must have at least one email object.",
            )
        )
    if len(set(recipients)) != len(recipients):
        errors.append(
            (where, "Each email address in the personalization block should be unique between to, cc, and bcc.")
        )
    subject = entry.get("subject") or body.get("subject")
    if not body.get("template_id") and (not isinstance(subject, str) or not subject):
        errors.append(
            (
                f"{where}.subject",
                "The subject is required, unless a template defines one.",
            )
        )
    errors += _check_headers(f"{where}.headers", entry.get("headers", {}))
    return errors + _check_arguments(f"{where}.custom_args", entry.get("custom_args", {}))


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 320 and bool(_ADDRESS.match(value))
