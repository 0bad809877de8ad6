"""What a recipient can do with a mail: open, click, answer, report it, leave the list, or not exist."""

from __future__ import annotations

import html
import re
import time
import zlib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import urlsplit

from sandbox import answers
from sandbox.courier import Courier
from sandbox.sendgrid import SendGrid
from sandbox.world import Mail, World

PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
_LINK = re.compile(r'href="([^"]+)"')
_WORDS = [
    "Thanks for writing. Tuesday at 10 would suit us. Shall we meet at your booth?",
    "Interesting. Please send me more about prices before the show.",
    "We are at the show all three days. Which hall are you in?",
    "My colleague looks after this. I have forwarded your mail.",
    "Not this year, but please ask again for the next show.",
]


class NobodyListens(Exception):
    """No Inbound Parse setting is registered for the domain the answer goes to."""


class Recipients:
    """Plays the recipients of a ``World``'s mails."""

    def __init__(self, world: World, courier: Courier, sendgrid: SendGrid) -> None:
        self.world, self.courier, self.sendgrid = world, courier, sendgrid

    def open(self, mail: Mail, *, machine: bool = False) -> bool:
        """A person, or a privacy proxy, loads the images. Only where opens are tracked."""
        if not mail.tracks_opens:
            return False
        self.world.record(
            mail, "open", sg_machine_open=machine, useragent="GoogleImageProxy" if machine else PERSON,
            ip="127.0.0.1", sg_content_type="html",
        )  # fmt: skip
        return True

    def click(self, mail: Mail, url: str) -> bool:
        """A person follows a link. Only where clicks are tracked."""
        if not mail.tracks_clicks:
            return False
        self.world.record(
            mail, "click", url=url, useragent=PERSON, ip="127.0.0.1", url_offset={"index": 0, "type": "html"}
        )
        return True

    def bounce(self, mail: Mail) -> None:
        self.sendgrid.bounce(mail)

    def defer(self, mail: Mail) -> None:
        self.world.record(mail, "deferred", response="451 4.7.1 try again later", attempt="1")

    def complain(self, mail: Mail) -> None:
        self.world.record(mail, "spamreport")
        self.world.account(mail.account).suppressed[mail.to.lower()] = "Spam Reporting Address"
        self.world.keep_settings()

    def unsubscribe(self, mail: Mail) -> int:
        """Press the mail program's own button: one POST as RFC 8058 describes. Returns the product's status."""
        listed = next((v for k, v in mail.headers.items() if k.lower() == "list-unsubscribe"), "")
        url = next((url for url in re.findall(r"<([^>]+)>", listed) if url.startswith("http")), "")
        if not url:
            return 0
        return self.courier.deliver(
            url, {"Content-Type": "application/x-www-form-urlencoded"}, b"List-Unsubscribe=One-Click"
        )

    def reply(self, mail: Mail, text: str = "", *, automatic: bool = False, body_html: str = "") -> int:
        """Answer the mail. Returns the status of the product. Raises NobodyListens."""
        target = self._inbound_url(mail)
        words = text or _WORDS[(zlib.crc32(mail.to.encode()) + len(mail.replies)) % len(_WORDS)]
        message = EmailMessage()
        message["From"] = mail.to
        message["To"] = mail.reply_to
        message["Subject"] = ("Automatic reply: " if automatic else "Re: ") + mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=mail.to.rpartition("@")[2])
        message["In-Reply-To"] = mail.message_id
        message["References"] = mail.message_id
        if automatic:
            message["Auto-Submitted"] = "auto-replied"
        quoted = "\n".join(f"> {line}" for line in mail.text.splitlines()[:6])
        message.set_content(f"{words}\n\nOn the mail of {mail.sender}:\n{quoted}\n")
        shown = body_html or f"<p>{html.escape(words)}</p>"
        message.add_alternative(shown, subtype="html")
        status = self.courier.post_inbound(
            target, raw=message.as_bytes(), to=mail.reply_to, sender=mail.to, subject=str(message["Subject"])
        )
        self.world.note_reply(mail, {"text": words, "at": time.time(), "automatic": automatic, "status": status})
        return status

    def answer_as(self, mail: Mail, kind: str) -> int:
        """Send what comes back in one of ``answers.KINDS``. Returns the status of the product. Raises NobodyListens."""
        target, message = self._inbound_url(mail), answers.compose(mail, kind)
        sender, subject = str(message["From"]), str(message["Subject"])
        status = self.courier.post_inbound(
            target, raw=message.as_bytes(), to=mail.reply_to, sender=sender, subject=subject
        )
        self.world.note_reply(
            mail, {"text": answers.KINDS[kind], "at": time.time(), "automatic": kind not in answers.ANSWERS, "status": status}
        )  # fmt: skip
        return status

    def _inbound_url(self, mail: Mail) -> str:
        domain = mail.reply_to.rpartition("@")[2].lower()
        setting = self.world.account(mail.account).parse.get(domain)
        if setting is None:
            raise NobodyListens(domain)
        return str(setting["url"])


def links_in(mail: Mail) -> list[str]:
    """The addresses a reader could follow, each once."""
    found = [html.unescape(link) for link in _LINK.findall(mail.html)]
    return [link for link in dict.fromkeys(found) if urlsplit(link).scheme in {"http", "https"}]
