"""One way to compare names, addresses and domains: everything that searches, matches or sorts uses these."""

import functools
import re
import unicodedata

import tldextract

_SPACES = re.compile(r"\s+")
# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
    }
)
# fmt: off
_LEGAL_FORMS = frozenset({
    "ab", "ag", "aps", "as", "asa", "bhd", "bv", "co", "cokg", "coltd", "company", "corp", "corporation", "doo", "ev", "gmbh",
    "inc", "incorporated", "jsc", "kft", "kg", "kgaa", "limited", "llc", "llp", "ltd", "ltda", "mbh", "nv", "oo", "oy", "oyj",
    "plc", "private", "pte", "pty", "pvt",
    "sa", "sarl", "sas", "sdn", "se", "sl", "sp", "spa", "srl", "sro", "zoo",
})
# fmt: on
_tld = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def normalise(text: str) -> str:
    """Lower case, no accents, single spaces: the form that is searched and sorted."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)
    return _SPACES.sub(" ", plain).strip()


def company_key(name: str) -> str:
    """The form under which two spellings of one company meet: normalised, no punctuation, no legal form at the end."""
    words = re.sub(r"[^\w\s]", " ", normalise(name).replace(".", "").replace("&", " and ")).split()
    full = len(words)
    while len(words) > 1 and (words[-1] in _LEGAL_FORMS or (words[-1] == "and" and len(words) < full)):
        words.pop()
    return " ".join(words)


def email_key(email: str) -> str:
    """The form under which one mailbox has one spelling: trimmed, lower case, the domain in ASCII (IDNA)."""
    if email.isascii():
        return email.strip().lower()
    email = unicodedata.normalize("NFC", email.strip()).lower()
    local, at, domain = email.rpartition("@")
    if at and not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return email
    return f"{local}{at}{domain}"


@functools.lru_cache(maxsize=65_536)
def domain_key(url_or_host: str) -> str:
    """The registrable domain (``example.co.uk``) of a web address, or ``""`` when there is none."""
    found = _tld(url_or_host.strip().lower())
    return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else ""
