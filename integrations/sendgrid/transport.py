"""SendGrid behind ``outreach.ports.MailTransport``, by its official SDK.

One recipient per call, never a retry: the v3 API has no idempotency key, so only a definite refusal is one. What
SendGrid keeps about a mail for good (``custom_args``, categories) is an opaque id and the number of the try.
"""

from __future__ import annotations

import http.client
import json
import time
from email.message import Message as HeaderMessage
from typing import Any

import sendgrid
from django.conf import settings
from python_http_client.exceptions import HTTPError

from integrations.sendgrid.connection import CouldNotConnect, KeptClient, KeptConnection
from outreach.ports import (
    Accepted,
    DnsRecord,
    EventChannel,
    NeedsAttention,
    NotSent,
    OutgoingMail,
    Rejected,
    SenderRecords,
    SendError,
    TemplateText,
    Throttled,
    TransportSettings,
    UnknownOutcome,
)

EVENTS = (
    "processed", "dropped", "deferred", "delivered", "bounce", "open", "click", "spam_report", "unsubscribe",
    "group_unsubscribe",
)  # fmt: skip


class SendGridTransport:
    provider = "sendgrid"
    reports = True

    def __init__(self, account: TransportSettings) -> None:
        key = account.credentials.get("api_key", "")
        self._connection = KeptConnection(settings.SENDGRID_BASE_URL)
        self._api = sendgrid.SendGridAPIClient(api_key=str(key), host=settings.SENDGRID_BASE_URL)
        self._api.client = KeptClient(
            connection=self._connection,
            host=settings.SENDGRID_BASE_URL,
            request_headers=self._api._default_headers,
            version=3,
        )

    def send(self, mail: OutgoingMail) -> Accepted:
        """As the port says: 2xx is accepted whatever the body, a clear refusal is one, all else is unknown."""
        try:
            response = self._api.send(body_of(mail))
        except CouldNotConnect as error:
            raise NotSent("SendGrid cannot be reached.") from error
        except HTTPError as error:
            raise _refusal(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnknownOutcome(f"SendGrid did not answer ({type(error).__name__}).") from error
        return Accepted(
            provider_message_id=response.headers.get("X-Message-Id", "") or "",
            http_status=response.status_code,
            rest=_rest(response.headers),
        )

    def check(self) -> None:
        """Whether the key is valid and may send."""
        answer = self._call(lambda: self._api.client.scopes.get())
        if "mail.send" not in answer.get("scopes", []):
            raise NeedsAttention("This API key may not send mail. Give it the permission “Mail Send”.")

    def open_event_channel(self, *, events_url: str, inbound_url: str, inbound_domain: str) -> EventChannel:
        """Register our addresses for events and for inbound mail, and have the events signed."""
        hooks = self._api.client.user.webhooks.event.settings
        known = self._call(lambda: hooks.all.get())
        mine = next((hook for hook in known.get("webhooks", []) if hook.get("url") == events_url), None)
        if mine is None:
            wanted = {"enabled": True, "url": events_url, "friendly_name": "EventOps", **dict.fromkeys(EVENTS, True)}
            mine = self._call(lambda: hooks.post(request_body=wanted))
        hook_id = str(mine.get("id", ""))
        signed = self._call(lambda: hooks.signed._(hook_id).patch(request_body={"enabled": True}))
        if inbound_domain:
            self._open_inbound(inbound_url, inbound_domain)
        return EventChannel(verification_key=str(signed.get("public_key", "")))

    def _open_inbound(self, url: str, domain: str) -> None:
        parse = self._api.client.user.webhooks.parse.settings
        known = self._call(lambda: parse.get())
        if not any(entry.get("hostname") == domain and entry.get("url") == url for entry in known.get("result", [])):
            wanted = {"url": url, "hostname": domain, "spam_check": False, "send_raw": True}
            self._call(lambda: parse.post(request_body=wanted))

    def keep_template(self, template: TemplateText, *, template_id: str) -> tuple[str, str]:
        """A new active version, under the template it was kept in before, or a new one when that is gone."""
        templates = self._api.client.templates
        name = template.name[:100]
        if template_id:
            try:
                self._call(lambda: templates._(template_id).patch(request_body={"name": name}))
            except NeedsAttention as error:
                if error.http_status != 404:
                    raise
                template_id = ""
        if not template_id:
            made = self._call(lambda: templates.post(request_body={"name": name, "generation": "dynamic"}))
            template_id = str(made.get("id", ""))
        wanted = {
            "template_id": template_id, "active": 1, "name": f"version {template.version}", "subject": template.subject,
            "html_content": template.html, "plain_content": template.text,
        }  # fmt: skip
        version = self._call(lambda: templates._(template_id).versions.post(request_body=wanted))
        return template_id, str(version.get("id", ""))

    def sender_records(self, domain: str) -> SenderRecords:
        """Those of the authenticated domain, which is added to the account when there is none yet."""
        domains = self._api.client.whitelabel.domains
        try:
            known = self._read(lambda: domains.get(query_params={"domain": domain}))
            mine = next((entry for entry in known if entry.get("domain") == domain), None)
            if mine is None:
                mine = self._call(lambda: domains.post(request_body={"domain": domain, "automatic_security": True}))
        except NeedsAttention:  # the key may send, but not read or add domains
            return SenderRecords(spf_include="sendgrid.net", selectors=("s1", "s2"))
        return _records_of(mine)

    def _read(self, call: Any) -> list[dict[str, Any]]:
        answer = self._answer(call)
        return [entry for entry in answer if isinstance(entry, dict)] if isinstance(answer, list) else []

    def _call(self, call: Any) -> dict[str, Any]:
        answer = self._answer(call)
        return answer if isinstance(answer, dict) else {}

    def _answer(self, call: Any) -> Any:
        """One request about the account, where asking twice would do no harm. Raises a SendError."""
        try:
            return json.loads(call().body or b"{}")
        except HTTPError as error:
            raise _refusal(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise NotSent("SendGrid cannot be reached.") from error
        except ValueError as error:
            raise NotSent("SendGrid answered with something unreadable.") from error

    def close(self) -> None:
        self._connection.close()


def body_of(mail: OutgoingMail) -> dict[str, Any]:
    """The request as the v3 Mail Send specification defines it."""
    return {
        "personalizations": [
            {
                "to": [{"email": mail.to_address}],
                "custom_args": {"eo_id": str(mail.intent_id), "eo_n": str(mail.attempt)},
            }
        ],
        "from": {"email": mail.from_address, "name": mail.from_name},
        "reply_to": {"email": mail.reply_to},
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "headers": dict(mail.headers),
        "categories": ["eventops"],
        "tracking_settings": {
            "click_tracking": {"enable": mail.track_clicks, "enable_text": False},
            "open_tracking": {"enable": mail.track_opens},
            "subscription_tracking": {"enable": False},
        },
    }


def _records_of(authenticated: dict[str, Any]) -> SenderRecords:
    """From ``GET /v3/whitelabel/domains``: three aliases with automatic security, else a key and a mail server."""
    records = {
        name: DnsRecord(str(entry["host"]), str(entry["type"]).upper(), str(entry["data"]))
        for name, entry in (authenticated.get("dns") or {}).items()
        if isinstance(entry, dict) and {"host", "type", "data"} <= set(entry)
    }
    keys = tuple(record for name, record in records.items() if name.startswith("dkim"))
    return SenderRecords(
        spf_include="sendgrid.net",
        dkim=keys,
        return_path=records.get("mail_cname") or records.get("mail_server"),
        selectors=() if keys else ("s1", "s2"),
    )


def _refusal(error: HTTPError) -> SendError:
    status, said = int(error.status_code), _said(error.body)
    if status == 429:
        wait = _seconds_to_wait(error.headers)
        return Throttled("SendGrid asks us to slow down.", retry_after=wait, http_status=status)
    if status in {401, 403}:
        return NeedsAttention(f"SendGrid refuses this API key or sender: {said}", http_status=status)
    if status in {404, 405}:
        return NeedsAttention("SendGrid's address is not the one we expect.", http_status=status)
    if status in {400, 413, 422}:
        return Rejected(f"SendGrid refuses this mail: {said}", http_status=status)
    return UnknownOutcome(f"SendGrid answered with an error ({status}).", http_status=status)


def _said(body: Any) -> str:
    """The provider's own words, without anything that looks like an address."""
    try:
        errors = json.loads(body)["errors"]
        words = " ".join(str(entry["message"]) for entry in errors)
    except (ValueError, KeyError, TypeError):
        return "no reason given."
    return " ".join(word for word in words.split() if "@" not in word)[:200]


def _rest(headers: HeaderMessage) -> float:
    """Seconds until the next request is allowed, when this one was the last of its window (``X-RateLimit-*``)."""
    return _seconds_to_wait(headers) if headers.get("X-RateLimit-Remaining") == "0" else 0.0


def _seconds_to_wait(headers: HeaderMessage) -> float:
    try:
        if headers.get("Retry-After"):
            return float(headers["Retry-After"])
        return max(1.0, float(headers["X-RateLimit-Reset"]) - time.time())
    except (TypeError, ValueError):
        return 60.0
