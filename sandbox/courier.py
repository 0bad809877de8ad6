"""Carries what happened to the product: signed batches of events, and replies by Inbound Parse."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.world import Delivery, World

Post = Callable[[str, Mapping[str, str], bytes], int]
"""Posts a body with headers to an address and returns the status; 0 when nobody answered."""


def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - the product's address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Courier:
    """Delivers until accepted, as SendGrid does: again after a while when the answer is not 2xx."""

    def __init__(self, world: World, deliver: Post = post) -> None:
        self.world, self.deliver = world, deliver
        self.last_status: int | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def flush(self) -> int:
        """Deliver everything owed now. Returns how many batches were accepted."""
        accepted = 0
        for delivery in self.world.take_owed():
            status = self.deliver(delivery.hook.url, *self.envelope(delivery))
            self.last_status = status
            if 200 <= status < 300:
                accepted += 1
            else:
                self.world.owe(delivery)
        return accepted

    def envelope(self, delivery: Delivery) -> tuple[dict[str, str], bytes]:
        """Headers and body of one delivery, signed when its webhook asks for it."""
        body = json.dumps(delivery.events).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "SendGrid Event API"}
        if delivery.hook.signed:
            timestamp = str(int(time.time()))
            headers["X-Twilio-Email-Event-Webhook-Timestamp"] = timestamp
            headers["X-Twilio-Email-Event-Webhook-Signature"] = self.world.sign(timestamp, body)
        return headers, body

    def post_inbound(self, url: str, *, raw: bytes, to: str, sender: str, subject: str) -> int:
        """Hand over a mail as Inbound Parse does with “send raw”. Returns the status."""
        fields: dict[str, Any] = {
            "email": raw.decode("utf-8", "surrogateescape"),
            "to": to,
            "from": sender,
            "subject": subject,
            "sender_ip": "127.0.0.1",
            "SPF": "pass",
            "dkim": "{@sandbox : pass}",
            "envelope": json.dumps({"to": [to], "from": sender}),
            "charsets": json.dumps({"to": "UTF-8", "subject": "UTF-8", "from": "UTF-8"}),
        }
        boundary = f"sandbox{uuid.uuid4().hex}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            + str(value).encode("utf-8", "surrogateescape")
            + b"\r\n"
            for name, value in fields.items()
        ]
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        status = self.deliver(url, {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body)
        self.last_status = status
        return status

    def start(self, every: float = 0.3) -> None:
        """Deliver in the background; after a refusal wait longer, up to half a minute."""

        def run() -> None:
            wait = every
            while not self._stop.wait(wait):
                if not self.world.owed:
                    continue
                accepted = self.flush()
                wait = every if accepted or not self.world.owed else min(wait * 2, 30.0)

        self._thread = threading.Thread(target=run, name="sandbox-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
