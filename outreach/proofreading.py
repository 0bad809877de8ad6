"""What a careful colleague would say about a mail before it goes to many: links, length, words that filters dislike."""

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

MOST_LINKS = 3
LONGEST_SUBJECT = 60
MOST_WORDS = 200
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'\])]+", re.IGNORECASE)
_SHORTENERS = frozenset({
    "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at", "t.co",
    "t.ly", "tiny.cc", "tinyurl.com",
})  # fmt: skip
_NOWHERE = re.compile(r"\[[^\[\]\n]{1,200}\]\((?!https?://|mailto:)[^()\n]*\)")
_PLACEHOLDER = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net)|localhost|(?:my|your)-?(?:company|domain|website|link)\.[a-z.]+)$|"
    r"\.(?:test|invalid|localhost)$",
    re.IGNORECASE,
)
_LOUD = re.compile(
    r"\b(100% free|act now|buy now|click here|click below|double your|earn money|free gift|guaranteed|limited time|"
    r"no obligation|once in a lifetime|order now|risk[- ]free|special promotion|urgent|winner|you have been selected)\b",
    re.IGNORECASE,
)
_SHOUTED = re.compile(r"\b[A-ZÀ-Þ]{4,}\b(?:\s+[A-ZÀ-Þ]{4,}\b)+")


def hints(subject: str, body: str) -> list[str]:
    """One sentence for each thing worth changing; empty when there is nothing to say. Nothing is forbidden."""
    words = f"{subject}\n{body}"
    links = [link.rstrip(".,;:!?") for link in _LINK.findall(body)]
    found = [problem for link in dict.fromkeys(links) if (problem := _problem_of(link))]
    found += [f"“{match}” leads nowhere: write the whole address, with https://." for match in _NOWHERE.findall(body)]
    if len(links) > MOST_LINKS:
        found.append(f"{len(links)} links: filters trust mails with {MOST_LINKS} or fewer.")
    if len(subject) > LONGEST_SUBJECT:
        found.append(f"The subject has {len(subject)} characters: phones show about {LONGEST_SUBJECT}.")
    if (number := len(body.split())) > MOST_WORDS:
        found.append(f"{number} words: first mails of up to {MOST_WORDS} words are answered most.")
    if loud := list(dict.fromkeys(match.lower() for match in _LOUD.findall(words))):
        found.append(f"Words that spam filters count: {', '.join(loud)}.")
    if "!!" in words or _SHOUTED.search(words):
        found.append("Capital words and rows of exclamation marks look like spam.")
    return found


def _problem_of(link: str) -> str:
    try:
        parts = urlsplit(link if "://" in link else f"//{link}")
        host = (parts.hostname or "").removeprefix("www.")
        _ = parts.port
    except ValueError:
        return f"“{link}” is no complete link."
    if "." not in host or ".." in host:
        return f"“{link}” is no complete link."
    if _PLACEHOLDER.search(host) or parts.fragment in {"todo", "link"} or "todo" in parts.path.lower().split("/"):
        return f"“{link}” is a placeholder: put the real link there."
    if host in _SHORTENERS:
        return f"“{link}” hides where it leads. Filters distrust shortened links: write the real one."
    return "" if parts.scheme == "https" else f"“{link}” should begin with https://."


class Piece(NamedTuple):
    """Some words of a comparison: ``kept``, ``added`` or ``removed``."""

    kind: str
    text: str


def compare(before: str, after: str) -> list[Piece]:
    """Word by word what changed, in reading order."""
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    pieces: list[Piece] = []

    def add(kind: str, words: Sequence[str]) -> None:
        if words:
            pieces.append(Piece(kind, "".join(words)))

    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            add("kept", old[a:b])
        else:
            add("removed", old[a:b])
            add("added", new[c:d])
    return pieces
