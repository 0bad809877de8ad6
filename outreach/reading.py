"""A mail as text: parsed whatever its quality, cleaned for the page, and freed of the mail it answers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import takewhile

import nh3
import structlog

log = structlog.get_logger(__name__)

LARGEST = 25 * 2**20
LONGEST_TEXT = 200_000
MOST_PARTS = 200
_QUOTE = re.compile(
    r"^(?:>|-{2,} ?(?:original message|original-nachricht|urspr[üu]ngliche nachricht|"
    r"message d['’]origine|mensaje original|messaggio originale"
    r"|oorspronkelijk bericht|forwarded message)|_{10,}$|(?:from|von|de|da|van|expéditeur|mittente) ?: .+)",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(
    r"^(?:on|am|le|el|il|op|em|dnia|w dniu|den)\b.{4,300}(?:\b(?:wrote|schrieb|a écrit|escribió|"
    r"ha scritto|schreef|escreveu|napisał)\b.{0,200}|@\S+):\s*$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Parsed:
    """What is known of a mail after parsing; every field is harmless text."""

    headers: dict[str, str]
    text: str
    html: str
    delivery_status: str
    is_report: bool


def read(raw: bytes) -> Parsed:
    """Parse a mail of any quality. Never raises: what cannot be read is left empty."""
    try:
        mail = message_from_bytes(raw[:LARGEST], policy=policy.default)
        headers = _headers(mail)
        texts, htmls, statuses = _bodies(mail)
    except (ValueError, LookupError, AttributeError, TypeError, IndexError, RecursionError) as error:
        log.warning("mail cannot be parsed", error=type(error).__name__, size=len(raw))
        return Parsed({}, "", "", "", False)
    text = texts or text_of(htmls)
    is_report = headers.get("content-type", "").startswith("multipart/report")
    return Parsed(headers, text[:LONGEST_TEXT], htmls[:LONGEST_TEXT], statuses[:20_000], is_report)


_WANTED = (
    "from", "to", "cc", "delivered-to", "subject", "message-id", "in-reply-to", "references", "auto-submitted",
    "x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-response-suppress", "x-failed-recipients", "precedence",
    "return-path", "content-type", "date",
)  # fmt: skip


def _headers(mail: EmailMessage) -> dict[str, str]:
    found = {}
    for name in _WANTED:
        try:
            value = str(mail.get(name, ""))
        except (ValueError, LookupError, AttributeError, TypeError, IndexError):
            value = ""
        found[name] = " ".join(_harmless(value).split())[:4_000]
    return found


def _harmless(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _bodies(mail: EmailMessage) -> tuple[str, str, str]:
    texts: list[str] = []
    htmls: list[str] = []
    statuses: list[str] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment":
            continue
        if kind == "message/delivery-status":
            statuses.append(_harmless(str(part)))
        elif kind in {"text/plain", "text/html"}:
            content = part.get_payload(decode=True)
            decoded = _decode(content if isinstance(content, bytes) else b"", part.get_content_charset())
            (texts if kind == "text/plain" else htmls).append(_harmless(decoded))
    return "\n".join(texts), "\n".join(htmls), "\n".join(statuses)


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    for number, part in enumerate(mail.walk()):
        if number >= MOST_PARTS:
            return
        if not part.is_multipart() or part.get_content_type() == "message/delivery-status":
            yield part


def _decode(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def text_of(markup: str) -> str:
    """The words of an HTML mail."""
    broken = re.sub(r"(?i)<(br|/p|/div|/tr|/li)\b[^>]*>", "\n", markup)
    return html.unescape(nh3.clean(broken, tags=set())).strip()


def clean_html(markup: str) -> str:
    """HTML that may be shown in a sandboxed frame: no scripts, forms, styles, images or other outside content."""
    return nh3.clean(
        markup,
        tags={
            "a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "pre",
            "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
        },
        attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )  # fmt: skip


def own_words(text: str) -> str:
    """What the person wrote, without the mail it answers, whether that stands below or above."""
    every = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    end = next((number for number in range(len(every)) if _begins_quotation(every, number)), len(every))
    own = every[:end]
    if not any(line.strip() for line in own):
        below = every[end:]
        last = max((number for number, line in enumerate(below) if line.lstrip().startswith(">")), default=-1)
        own = below[last + 1 :] if last >= 0 else []
    return re.sub(r"\n{3,}", "\n\n", "\n".join(own)).strip()


def _begins_quotation(lines: list[str], number: int) -> bool:
    """Whether a quotation begins at this line; the line that introduces it is often broken in two."""
    following = list(takewhile(str.strip, lines[number : number + 3]))
    return bool(_QUOTE.match(lines[number].strip())) or any(
        _INTRODUCTION.match(" ".join(following[:length]).strip()) for length in range(1, len(following) + 1)
    )
