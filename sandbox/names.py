"""The domain name system of the sandbox: zones a person can break and mend, and a small server that answers from them.

A domain that is authenticated at the played SendGrid gets every record it needs, as if a diligent administrator had
pasted them. Everything else receives mail and has no other records.
"""

from __future__ import annotations

import base64
import json
import socketserver
import threading
import time
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TTL = 5
TYPES = ("A", "CNAME", "MX", "TXT")
EVERYWHERE = "*"
"""The name whose records stand for every name that has none of its own."""
FAULTS = ("servfail", "timeout")


def wanted_by_sendgrid(domain: str) -> dict[str, dict[str, str]]:
    """The three aliases SendGrid asks for, under the names its API gives them."""
    number = sum(domain.encode()) % 9_000 + 1_000
    return {
        "mail_cname": {"host": f"em{number}.{domain}", "type": "cname", "data": f"u{number}.wl001.sendgrid.net"},
        "dkim1": {
            "host": f"s1._domainkey.{domain}", "type": "cname", "data": f"s1.domainkey.u{number}.wl001.sendgrid.net",
        },
        "dkim2": {
            "host": f"s2._domainkey.{domain}", "type": "cname", "data": f"s2.domainkey.u{number}.wl001.sendgrid.net",
        },
    }  # fmt: skip


class Names:
    """Records and faults by name. Every method may be called from any thread; ``folder`` keeps them over a restart."""

    def __init__(self, folder: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._file = folder / "names.json" if folder else None
        self.records: dict[str, list[tuple[str, str]]] = {EVERYWHERE: [("MX", "10 mx.sandbox.example")]}
        self.faults: dict[str, str] = {}
        self._key = ""
        if self._file and self._file.exists():
            kept = json.loads(self._file.read_text())
            self.records = {name: [(kind, value) for kind, value in rows] for name, rows in kept["records"].items()}
            self.faults = kept["faults"]

    def put(self, name: str, kind: str, value: str) -> None:
        """Add a record. Raises ValueError unless it is one."""
        try:
            dns.rrset.from_text("check.", TTL, "IN", kind, _presented(kind, value))
        except dns.exception.DNSException as error:
            raise ValueError(f"This is not a {kind} record: {error}") from error
        with self.lock:
            rows = self.records.setdefault(_key(name), [])
            if (kind, value) not in rows:
                rows.append((kind, value))
            self._keep()

    def replace(self, name: str, kind: str, *values: str) -> None:
        """Let the name have these records of the type and no others; without values, none."""
        with self.lock:
            rows = [row for row in self.records.get(_key(name), []) if row[0] != kind]
            self.records[_key(name)] = rows
            for value in values:
                self.put(name, kind, value)
            if not self.records[_key(name)] and _key(name) != EVERYWHERE:
                del self.records[_key(name)]
            self._keep()

    def remove(self, name: str, kind: str, value: str) -> None:
        with self.lock:
            left = [known for known in self.records.get(_key(name), []) if known != (kind, value)]
            self.records[_key(name)] = left
            if not left and _key(name) != EVERYWHERE:
                del self.records[_key(name)]
            self._keep()

    def fail(self, name: str, kind: str) -> None:
        """From now on questions about the name and all below it meet a fault; an empty ``kind`` ends that."""
        with self.lock:
            self.faults.pop(_key(name), None)
            if kind in FAULTS:
                self.faults[_key(name)] = kind
            self._keep()

    def publish(self, domain: str) -> None:
        """Every record that a domain which sends through SendGrid should have."""
        wanted = wanted_by_sendgrid(domain)
        with self.lock:
            self.replace(domain, "TXT", "v=spf1 include:sendgrid.net ~all")
            self.replace(domain, "MX", f"10 mail.{domain}")
            self.replace(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}")
            for alias in wanted.values():
                self.replace(alias["host"], "CNAME", alias["data"])
                if "domainkey" in alias["data"]:
                    self.replace(alias["data"], "TXT", f"k=rsa; t=s; p={self._public_key()}")
                else:
                    self.replace(alias["data"], "TXT", "v=spf1 ip4:127.0.0.0/8 -all")
            self.replace("sendgrid.net", "TXT", "v=spf1 ip4:127.0.0.0/8 ~all")

    def receive_replies(self, domain: str) -> None:
        """Mail to the domain goes to Inbound Parse."""
        self.replace(domain, "MX", "10 mx.sendgrid.net")

    def answers(self, name: str, kind: str) -> list[tuple[str, str, str]]:
        """``(name, type, value)`` of what answers a question, an alias before what it stands for."""
        with self.lock:
            found: list[tuple[str, str, str]] = []
            for _ in range(8):
                rows = self.records.get(_key(name))
                if rows is None:
                    rows = [] if name.endswith(".invalid") else self.records.get(EVERYWHERE, [])
                alias = next((value for known, value in rows if known == "CNAME"), None)
                if alias and kind != "CNAME":
                    found.append((name, "CNAME", alias))
                    name = alias
                    continue
                return found + [(name, kind, value) for known, value in rows if known == kind]
            return found

    def fault_of(self, name: str) -> str:
        """The fault of the name, or of the nearest above it."""
        with self.lock:
            labels = _key(name).split(".")
            here = (".".join(labels[start:]) for start in range(len(labels)))
            return next((self.faults[part] for part in here if part in self.faults), "")

    def exists(self, name: str) -> bool:
        with self.lock:
            known = [name for name in self.records if name != EVERYWHERE]
            here = any(other == _key(name) or other.endswith(f".{_key(name)}") for other in known)
            return here or (bool(self.records.get(EVERYWHERE)) and not name.endswith(".invalid"))

    def _public_key(self) -> str:
        if not self._key:
            public = rsa.generate_private_key(65_537, 2_048).public_key()
            self._key = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        return self._key

    def _keep(self) -> None:
        if self._file is not None:
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps({"records": self.records, "faults": self.faults}))
            draft.replace(self._file)


class NameServer:
    """Answers over UDP on the loopback address. ``port`` 0 takes any free one."""

    def __init__(self, names: Names, port: int = 0) -> None:
        self.names = names

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                answer = respond(names, data)
                if answer is not None:
                    socket.sendto(answer, self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="names", daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def respond(names: Names, data: bytes) -> bytes | None:
    """The answer to one question; ``None`` when there is none to give."""
    try:
        question = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    if len(question.question) != 1:
        return None
    asked = question.question[0]
    name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
    fault = names.fault_of(name)
    if fault == "timeout":
        time.sleep(0.01)
        return None
    answer = dns.message.make_response(question, recursion_available=True)
    if fault:
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer.to_wire()
    found = names.answers(name, kind)
    if not found and not names.exists(name):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    for owner, of, value in found:
        _add(answer, owner, of, value)
    wire: bytes = answer.to_wire(max_size=65_000)
    return wire


def _add(answer: dns.message.Message, owner: str, kind: str, value: str) -> None:
    name = dns.name.from_text(owner)
    rrset = dns.rrset.from_text(name, TTL, dns.rdataclass.IN, kind, _presented(kind, value))
    known: Any = answer.find_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.from_text(kind), create=True)
    known.update(rrset)


def _presented(kind: str, value: str) -> str:
    """As a zone file writes it: a long text in pieces of 255, names with their dot."""
    if kind == "TXT":
        pieces = [value[start : start + 250] for start in range(0, len(value), 250)] or [""]
        return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
    if kind in {"MX", "CNAME"}:
        return value if value.endswith(".") else f"{value}."
    return value


def _key(name: str) -> str:
    return name.strip().rstrip(".").lower()
