"""From the text of a cell to a value: what people write for "nothing" becomes empty, what is wrong is named.

A cleaner takes tidy, non-empty text. It raises ``Blank`` when there is no value in it (the row goes on without), and
``Wrong`` when storing or dropping it would do harm (the row is rejected).
"""

import functools
import html
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from email_validator import EmailNotValidError, validate_email
from nameparser import HumanName

from accounts.models import TargetAccount, Tier
from common.copying import FORMULA_STARTS
from common.text import domain_key, normalise
from people.importing.vocabulary import EMPTY, FALSE, TRUE
from people.models import PERSONA_FLAGS


class Blank(Exception):
    """The text stands for no value; the message says why."""


class Wrong(ValueError):
    """The text cannot be stored; the message says why."""


_INVISIBLE = {0xA0: " ", 0x2007: " ", 0x202F: " ", 0x200B: None, 0xFEFF: None, 0xAD: None, 0x0D: "\n"}
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_%+'.-]{0,62}+@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}+\.)++[A-Za-z]{2,24}")
_IN_BRACKETS = re.compile(r"<([^<>]+@[^<>]+)>")
_HOST = re.compile(r"(?:[\w](?:[\w-]{0,61}[\w])?\.)+(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,58})(?::\d{1,5})?", re.IGNORECASE)
_SCHEME = re.compile(r"^https?:/{1,3}", re.IGNORECASE)
_PHONE_LABEL = re.compile(
    r"^(?:tel(?:efon|ephone|éfono|efono)?|phone|ph|mob(?:ile|il)?|cell|office|t|p|m|fon)\s*[.:]+\s*|^tel\s+",
    re.IGNORECASE,
)
_PHONE = re.compile(r"[+(]?[\d(][\d\s()./\\–-]*(?:\s*(?:ext|extension|x|dw|durchwahl|#)\.?\s*\d{1,6})?", re.IGNORECASE)
_PLAIN_PHONE = re.compile(r"\+?[0-9]++(?: [0-9]++)*+")
_PLAIN_LINKEDIN = re.compile(r"https://(?:[a-z]{2,3}\.)?linkedin\.com/[\w%./-]++")
_SCIENTIFIC = re.compile(r"\d[.,]\d+e\+?\d+", re.IGNORECASE)


def tidy(text: str) -> str:
    """Trimmed, single-spaced, without control characters, entities undone, and without a spreadsheet's quoting mark."""
    text = text.strip()
    if not text:
        return ""
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if not text.isprintable():
        text = text.translate(_INVISIBLE)
        text = "".join(c if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"} else " " for c in text).strip()
    if text[:1] == "'" and (marked := text.lstrip("'")[:1]) and marked in FORMULA_STARTS:
        text = text[1:].lstrip()
    if "  " in text or "\t" in text:
        text = _SPACES.sub(" ", text)
    return text.strip()


def is_empty_word(text: str, *, header: str = "") -> bool:
    """Whether tidy text stands for no value; a list's own ``No tel_number`` under ``tel_number`` too."""
    if len(text) > 40:
        return False
    lower = text.lower()
    return lower in EMPTY or (lower.startswith("no ") and bool(header) and lower[3:] == header.lower())


def one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text or "\r" in text else text


@functools.lru_cache(maxsize=65_536)
def website(text: str) -> str:
    """An absolute web address; of several in one cell the first."""
    text = text.strip().strip("<>\"'")
    for part in re.split(r"[;,|]\s*|\s+/\s+|\s+(?=https?://|www\.)", text):
        bare = part.strip()
        while _SCHEME.match(bare):
            bare = _SCHEME.sub("", bare, count=1)
        secure = part.strip().lower().startswith("https") or "://" not in part
        host = re.split(r"[/?#]", bare, maxsplit=1)[0]
        if not bare or " " in bare or "@" in host or not _HOST.fullmatch(host):
            continue
        if not domain_key(host) and host.replace(".", "").isdigit():
            continue
        return f"{'https' if secure else 'http'}://{host.lower()}{bare[len(host) :]}"
    if text.startswith(("/", "./", "../", "#", "?")):
        raise Blank("a link inside another site, not a website")
    if re.match(r"^[a-z][a-z0-9+.-]*:(?!//)", text, re.IGNORECASE) and not text.lower().startswith("www"):
        raise Blank("not a web address")
    raise Blank("not a website")


def linkedin(text: str) -> str:
    """An absolute LinkedIn address."""
    if _PLAIN_LINKEDIN.fullmatch(text):
        return text
    if "linkedin.com/" in text.lower():
        return website(text).replace("http://", "https://", 1)
    if re.fullmatch(r"/?(in|company|school)/[\w%.-]+/?", text, re.IGNORECASE):
        return f"https://www.linkedin.com/{text.strip('/')}"
    raise Blank("not a LinkedIn address")


def looks_like_phone(text: str) -> bool:
    return sum(c.isdigit() for c in text) >= 5 and bool(_PHONE.fullmatch(text))


def phone(text: str) -> str:
    """A telephone number as text, spaces tidied; never a number to calculate with."""
    if _PLAIN_PHONE.fullmatch(text) and len(digits := text.lstrip("+").replace(" ", "")) >= 5 and len(set(digits)) > 1:
        return text
    if _SCIENTIFIC.fullmatch(text):
        raise Blank("a spreadsheet has shortened the number")
    text = " ".join(_PHONE_LABEL.sub("", text).split())
    if text.lower().startswith("(+"):
        text = "+" + text[2:].replace(")", "", 1)
    if not _PHONE.fullmatch(text) and (first := re.split(r"\s*[;,|]\s*|\s+/\s+", text)[0]) != text:
        text = first
    if sum(c.isdigit() for c in text) < 5 or not _PHONE.fullmatch(text):
        raise Blank("not a telephone number")
    if len(set(re.sub(r"\D", "", text))) == 1:
        raise Blank("not a telephone number")
    return text


def emails(text: str) -> list[str]:
    """The addresses in a cell, usually one. Raises ``Wrong`` when one of them is none."""
    if _is_plain_email(text):
        return [text]
    found = _IN_BRACKETS.findall(text) or re.split(r"\s*[;,|]\s*|\s+/\s+|\s+(?=\S+@)", text)
    return [_email(part.strip()) for part in found if part.strip()]


def _is_plain_email(text: str) -> bool:
    """Whether the address is of the usual shape, which needs no closer look."""
    return (
        bool(_EMAIL.fullmatch(text)) and ".." not in text and ".@" not in text and "-." not in text and len(text) <= 254
    )


def _email(text: str) -> str:
    text = re.sub(r"^mailto:", "", text, flags=re.IGNORECASE).strip("<>\"'. ")
    if _is_plain_email(text):
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise Wrong(f"“{text[:80]}” is not an e-mail address.") from None


def whole_number(text: str) -> int:
    """A count of people: ``1,200``, ``1.200``, ``51-200`` (its lower end), ``10k+``."""
    match = re.match(r"[^\d]*(\d[\d\s.,'’]*)\s*(k|thousand|tsd)?", text, re.IGNORECASE)
    if match is None:
        raise Blank("not a number")
    number = re.sub(r"\D", "", match[1] if not match[2] else re.split(r"[.,]", match[1])[0])
    value = int(number or 0) * (1000 if match[2] else 1)
    if value > 100_000_000:
        raise Blank("not a plausible number of employees")
    return value


def money(text: str) -> str:
    """An amount as a decimal text: ``$1.2M``, ``1,200,000``, ``1.200.000,50``."""
    match = re.fullmatch(
        r"(?:usd|us\$|\$|eur|€|£|gbp)?\s*([\d][\d.,\s'’]*)\s*(k|m|mn|mio|mill|million|millions|bn|b|billion|mrd)?\.?\s*(?:usd|us\$|\$|eur|€|£)?",
        text,
        re.IGNORECASE,
    )
    if match is None:
        raise Blank("not an amount")
    digits = re.sub(r"[\s'’]", "", match[1])
    digits = _plain_decimal(digits, scaled=bool(match[2]))
    factor = {"k": 1_000, "m": 10**6, "b": 10**9}.get((match[2] or " ")[0].lower(), 1)
    if (match[2] or "").lower() == "mrd":
        factor = 10**9
    try:
        value = (Decimal(digits) * factor).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise Blank("not an amount") from None
    if value >= Decimal(10) ** 13:
        raise Blank("not a plausible amount")
    return str(value)


def _plain_decimal(digits: str, *, scaled: bool) -> str:
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return digits
    mark = digits[last]
    both = "." in digits and "," in digits
    decimals = len(digits) - last - 1
    if both or (digits.count(mark) == 1 and (decimals != 3 or scaled)):
        return re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]
    return re.sub(r"[.,]", "", digits)


def flag(text: str) -> bool:
    lower = text.lower()
    if lower in TRUE:
        return True
    if lower in FALSE:
        return False
    raise Blank("neither yes nor no")


_PERSONAS = {normalise(label): name for name, label in PERSONA_FLAGS.items()} | {
    "operations": "is_ops",
    "ops": "is_ops",
    "exec ops": "is_exec_ops",
    "executive": "is_exec_ops",
    "procurement": "is_proc",
    "purchasing": "is_proc",
    "proc": "is_proc",
    "sales": "is_sales",
    "technology": "is_tech",
    "tech": "is_tech",
    "it": "is_tech",
    "it tech": "is_tech",
    "non ops": "is_non_ops",
}


def personas(text: str) -> list[str]:
    """The persona flags named in a cell."""
    words = [normalise(part).replace("_", " ") for part in re.split(r"[;,|/]", text)]
    found = [_PERSONAS[word] for word in words if word in _PERSONAS]
    if not found:
        raise Blank("not one of our personas")
    return found


_TIERS = {t.value.lower(): t.value for t in Tier} | dict(zip("1234", Tier.values, strict=True))


def tier(text: str) -> str:
    word = re.sub(r"^(tier|prio|priority|class|klasse)\s*[:\-]?\s*", "", text.lower()).strip()
    if word not in _TIERS:
        raise Blank("not a tier (A, B, C or D)")
    return _TIERS[word]


def _choices(choices: list[tuple[str, str]]) -> dict[str, str]:
    return {
        normalise(word).replace("_", " ").replace("-", " "): value
        for value, label in choices
        for word in (value, label)
    }


_STATUSES = _choices(TargetAccount.Status.choices)
_STAGES = _choices(TargetAccount.Stage.choices)


def status(text: str) -> str:
    return _chosen(text, _STATUSES, "status")


def stage(text: str) -> str:
    return _chosen(text, _STAGES, "stage")


def _chosen(text: str, known: dict[str, str], what: str) -> str:
    word = normalise(text).replace("_", " ").replace("-", " ")
    if word not in known:
        raise Blank(f"not one of our {what} values")
    return known[word]


def tags(text: str) -> list[str]:
    """The labels in a cell, each up to 60 characters."""
    found = [" ".join(part.split()) for part in re.split(r"[;,|\n]", text)]
    if any(len(part) > 60 for part in found):
        raise Wrong("A tag is longer than 60 characters.")
    return [part for part in found if part]


@functools.lru_cache(maxsize=65_536)
def split_name(full: str) -> tuple[str, str]:
    """First and last name of a full one."""
    words = full.split(" ")
    if len(words) == 2 and "," not in full and "." not in full and words[0].isalpha():
        return words[0][:100], words[1][:100]
    parsed = HumanName(full)
    first = " ".join(filter(None, [parsed.first, parsed.middle]))
    return first[:100], parsed.last[:100]
