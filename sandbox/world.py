"""What the played SendGrid remembers: accounts, mails, their events, the webhooks to call and the faults to play.

Kept in memory, and as JSON lines in a folder, so that a restart keeps the mails.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
import uuid
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


@dataclass
class Mail:
    """One mail to one recipient, as it was accepted."""

    id: str
    account: str
    to: str
    sender: str
    sender_name: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    custom_args: dict[str, str]
    categories: list[str]
    tracks_opens: bool
    tracks_clicks: bool
    at: float
    events: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        return next((v for k, v in self.headers.items() if k.lower() == "message-id"), f"<{self.id}@sandbox>")

    def has(self, kind: str) -> bool:
        return any(event["event"] == kind for event in self.events)


@dataclass
class Hook:
    """A registered event webhook."""

    id: str
    url: str
    wants: dict[str, bool]
    signed: bool = False


@dataclass
class Account:
    """Everything that belongs to one API key."""

    key: str
    hooks: dict[str, Hook] = field(default_factory=dict)
    parse: dict[str, dict[str, Any]] = field(default_factory=dict)
    suppressed: dict[str, str] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    domains: list[str] = field(default_factory=list)
    revoked: bool = False


@dataclass(frozen=True)
class Delivery:
    """A batch of events that is owed to a webhook."""

    hook: Hook
    events: list[dict[str, Any]]


@dataclass
class Fault:
    """What the next ``times`` sends meet: ``429``, ``500``, ``timeout``, ``lost``, ``garbage``, or ``last``: the last one
    that is allowed for ``wait`` seconds."""

    kind: str
    times: int
    wait: float = 1.0


class World:
    """The state. Every method may be called from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.folder = folder
        self.accounts: dict[str, Account] = {}
        self.mails: dict[str, Mail] = {}
        self.owed: deque[Delivery] = deque()
        self.faults: deque[Fault] = deque()
        self.requests = 0
        self.delivers_by_itself = True
        self.key = ec.generate_private_key(ec.SECP256R1())
        if folder is not None:
            self._load(folder)

    # --- Keys ---

    @property
    def public_key(self) -> str:
        """As SendGrid shows it: the DER form in base64."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sign(self, timestamp: str, body: bytes) -> str:
        signature = self.key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signature).decode()

    # --- Accounts ---

    def account(self, key: str) -> Account:
        with self.lock:
            return self.accounts.setdefault(key, Account(key))

    # --- Mails and events ---

    def accept(self, mail: Mail) -> None:
        with self.lock:
            self.mails[mail.id] = mail
            if self.folder is not None:
                self._append({"mail": asdict(mail)})

    def record(self, mail: Mail, kind: str, **more: Any) -> dict[str, Any]:
        """Let something happen to a mail and owe its webhooks the news. Returns the event."""
        event: dict[str, Any] = {
            "email": mail.to,
            "timestamp": int(more.pop("at", None) or time.time()),
            "smtp-id": mail.message_id,
            "event": kind,
            "category": mail.categories,
            "sg_event_id": secrets.token_urlsafe(16),
            "sg_message_id": f"{mail.id}.recvd-sandbox-0",
            **mail.custom_args,
            **more,
        }
        with self.lock:
            mail.events.append(event)
            self._append({"event": event, "id": mail.id})
            for hook in self.account(mail.account).hooks.values():
                if hook.wants.get(_SETTING_OF.get(kind, kind), False):
                    self.owed.append(Delivery(hook, [event]))
        return event

    def note_reply(self, mail: Mail, reply: dict[str, Any]) -> None:
        with self.lock:
            mail.replies.append(reply)
            self._append({"reply": reply, "id": mail.id})

    def newest(self) -> list[Mail]:
        with self.lock:
            return sorted(self.mails.values(), key=lambda mail: mail.at, reverse=True)

    def take_owed(self) -> list[Delivery]:
        """Everything owed, one delivery per webhook."""
        with self.lock:
            by_hook: dict[str, Delivery] = {}
            while self.owed:
                owed = self.owed.popleft()
                by_hook.setdefault(owed.hook.id, Delivery(owed.hook, [])).events.extend(owed.events)
            return list(by_hook.values())

    def owe(self, delivery: Delivery) -> None:
        with self.lock:
            self.owed.append(delivery)

    # --- Faults ---

    def next_fault(self) -> Fault | None:
        with self.lock:
            if not self.faults:
                return None
            fault = self.faults[0]
            fault.times -= 1
            if fault.times <= 0:
                self.faults.popleft()
            return fault

    # --- Keeping ---

    def keep_settings(self) -> None:
        """Write accounts and key; call it after changing them."""
        if self.folder is None:
            return
        with self.lock:
            data = {
                "key": self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                "accounts": [asdict(account) for account in self.accounts.values()],
            }
            target = self.folder / "settings.json"
            draft = target.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(data))
            draft.replace(target)

    def _append(self, entry: dict[str, Any]) -> None:
        if self.folder is not None:
            with (self.folder / "mails.jsonl").open("a") as log:
                log.write(json.dumps(entry) + "\n")

    def _load(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings, mails = folder / "settings.json", folder / "mails.jsonl"
        if settings.exists():
            data = json.loads(settings.read_text())
            loaded = load_pem_private_key(data["key"].encode(), password=None)
            if isinstance(loaded, ec.EllipticCurvePrivateKey):
                self.key = loaded
            for entry in data["accounts"]:
                hooks = {name: Hook(**hook) for name, hook in entry.pop("hooks").items()}
                self.accounts[entry["key"]] = Account(hooks=hooks, **entry)
        else:
            self.keep_settings()
        for line in mails.read_text().splitlines() if mails.exists() else ():
            self._replay(json.loads(line))

    def _replay(self, entry: dict[str, Any]) -> None:
        if "mail" in entry:
            mail = Mail(**entry["mail"])
            self.mails[mail.id] = mail
        elif "event" in entry:
            self.mails[entry["id"]].events.append(entry["event"])
        elif "reply" in entry:
            self.mails[entry["id"]].replies.append(entry["reply"])

    def forget_mails(self) -> None:
        with self.lock:
            self.mails.clear()
            self.owed.clear()
            if self.folder is not None:
                (self.folder / "mails.jsonl").unlink(missing_ok=True)


_SETTING_OF = {"spamreport": "spam_report"}


def new_id() -> str:
    """Shaped like SendGrid's: 22 characters of base64."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
