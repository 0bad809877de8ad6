"""What kind of answer a mail is. Rules first: headers, delivery reports, phrases in six languages.

Pure: a parsed mail goes in, a class with its evidence comes out, so rules can be run again over kept mails. A model can
have a second look behind ``ports.ReplyReader``; a person has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import TextChoices

from common.text import normalise
from outreach.dates import ask_again_on, return_date
from outreach.wording import phrases

LONGEST = 20_000


class ReplyClass(TextChoices):
    INTERESTED = "interested", "Interested"
    QUESTION = "question", "Question"
    REFERRAL = "referral", "Referral"
    NOT_NOW = "not_now", "Not now"
    OUT_OF_OFFICE = "out_of_office", "Out of the office"
    OPT_OUT = "opt_out", "Asks to stop"
    BOUNCE_HARD = "bounce_hard", "Does not exist"
    BOUNCE_SOFT = "bounce_soft", "Not delivered for now"
    AUTO_REPLY = "auto_reply", "Automatic"
    RECEIPT = "receipt", "Receipt"
    OTHER = "other", "Other"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the rules see of a mail. ``words`` is what the person wrote, without the mail it answers."""

    headers: Mapping[str, str]
    subject: str
    from_address: str
    words: str
    delivery_status: str = ""
    received_on: date


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The class, the words that decided it, and what else the mail says: a date, an address to write to instead."""

    label: ReplyClass
    evidence: str = ""
    on: date | None = None
    address: str = ""


_BOUNCE_SENDER = re.compile(
    r"^(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon|bounces?)(?:[+=-].*)?@", re.IGNORECASE
)
_DEVICE = re.compile(
    r"(?:--$|__+$|\*\*+$|von meinem|sent from|"
    r"(?:sent|gesendet|envoye|enviado|inviato|verzonden|verstuurd|wyslano) (?:\w+ ){0,2}"
    r"(?:from|von|mit|de|desde|do|da|dal|vanaf|z)\b)"
)
_DISCLAIMER = re.compile(
    r"(?:this (?:e-?mail|message)|diese (?:e-?mail|nachricht)|ce (?:message|courriel)|cet e-?mail|este (?:mensaje|correo)|"
    r"quest[oa] (?:messaggio|e-?mail|comunicazione)|dit bericht|deze e-?mail)\b.*(?:confiden|vertraul|"
    r"riservat|vertrouwelijk|privileg)"
)
_CLOSING = re.compile(
    r"(?:(?:kind|best|warm|many|with|all the|yours|mit|viele|beste|herzliche|schone|freundliche|"
    r"liebe|bien|meilleures|sinceres|un|saludos"
    r"|atentamente|cordial\w*|distinti|tanti|saluti|met|vriendelijke|hartelijke|groet\w*|com|"
    r"z powazaniem|pozdrawiam)[ ,])?"
    r"(?:regards|best|cheers|thanks|sincerely|grusse\w*|gruss|mfg|lg|vg|cordialement|salutations|"
    r"a vous|saludos?|abrazo|atentamente|saluti"
    r"|cordialita|groet\w*|mvg|cumprimentos|pozdrawiam)[,.! ]*$"
)
_ANSWERS = re.compile(r"(?:re|aw|antw|sv|tr|rv|r|fwd?|wg|odp|res|rif|i|vs)\s?:")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def classify(mail: Reading) -> Verdict:
    """The class of a mail, by the first rule that fits; only the first 20,000 characters are looked at."""
    mail = replace(mail, words=mail.words[:LONGEST])
    for rule in (_receipt, _bounce, _automatic, _ticket, _opt_out, _absent, _person):
        verdict = rule(mail)
        if verdict is not None:
            return verdict
    return Verdict(label=ReplyClass.OTHER)


def _header(mail: Reading, name: str) -> str:
    return mail.headers.get(name, "").lower()


def _receipt(mail: Reading) -> Verdict | None:
    if "disposition-notification" in _header(mail, "content-type"):
        return Verdict(label=ReplyClass.RECEIPT, evidence=mail.subject)
    told = phrases("receipt_subject").match(normalise(mail.subject)) and not phrases("ticket").search(
        normalise(mail.words)
    )
    return Verdict(label=ReplyClass.RECEIPT, evidence=mail.subject) if told else None


def _bounce(mail: Reading) -> Verdict | None:
    is_report = "delivery-status" in _header(mail, "content-type") or bool(mail.delivery_status)
    failed = bool(_header(mail, "x-failed-recipients"))
    subject = normalise(mail.subject)
    if not (
        is_report
        or failed
        or _BOUNCE_SENDER.match(mail.from_address)
        or phrases("bounce_subject").match(subject.lstrip(" *[("))
    ):
        return None
    status = re.search(r"(?im)^status:\s*([245])\.(\d+)\.(\d+)", mail.delivery_status)
    words = normalise(mail.words)
    if status:
        full = (
            status[2] == "2"
            and status[3] in {"2", "1"}
            and status[1] == "5"
            and bool(phrases("bounce_soft").search(words + normalise(mail.delivery_status)))
        )
        soft = status[1] == "4" or (status[2] == "2" and status[3] == "2") or full
        evidence = status[0]
    else:
        hard = phrases("bounce_hard").search(words) or phrases("bounce_hard").search(subject)
        soft = not hard or bool(
            re.search(
                r"mailbox (?:is )?full|over ?quota|quota exceeded|delayed|5\.2\.2|will (?:keep|continue|be retr|retry)",
                words,
            )
        )
        evidence = hard[0] if hard else mail.subject
    return Verdict(label=ReplyClass.BOUNCE_SOFT if soft else ReplyClass.BOUNCE_HARD, evidence=evidence)


def is_automatic(headers: Mapping[str, str], subject: str) -> bool:
    """Whether a machine answered (RFC 3834, and what mail systems set instead)."""
    submitted = headers.get("auto-submitted", "").lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or bool(headers.get("x-autoreply") or headers.get("x-autorespond") or headers.get("x-autoresponder"))
        or headers.get("precedence", "").lower() in {"auto_reply", "auto-reply", "junk"}
        or headers.get("x-auto-response-suppress", "").lower() in {"all", "oof"}
        or bool(phrases("automatic_subject").match(normalise(subject)))
    )


def _automatic(mail: Reading) -> Verdict | None:
    if not is_automatic(mail.headers, mail.subject):
        return None
    words = normalise(mail.words)
    left = phrases("left_the_company").search(words)
    if left and _other_address(mail):
        return Verdict(label=ReplyClass.REFERRAL, evidence=left[0], address=_other_address(mail))
    away = phrases("out_of_office").search(words)
    back = return_date(mail.words, today=mail.received_on) if away else None
    if away and (back is not None or not phrases("ticket").search(words)):
        return Verdict(label=ReplyClass.OUT_OF_OFFICE, evidence=away[0], on=back)
    return Verdict(label=ReplyClass.AUTO_REPLY, evidence=mail.subject)


def _ticket(mail: Reading) -> Verdict | None:
    """A help desk without the headers of one: a subject of its own that says so."""
    subject = normalise(mail.subject)
    if _ANSWERS.match(subject):
        return None
    found = phrases("ticket").search(f"{subject}\n{normalise(mail.words)}")
    return Verdict(label=ReplyClass.AUTO_REPLY, evidence=found[0]) if found else None


def _opt_out(mail: Reading) -> Verdict | None:
    """Generous on purpose: a mail too few annoys nobody, a mail too many breaks a promise."""
    subject = normalise(mail.subject)
    own_subject = "" if _ANSWERS.match(subject) else subject
    for text in (normalise(_without_device(mail.words)), own_subject):
        found = phrases("opt_out").search(phrases("not_an_opt_out").sub(" ", text))
        if found:
            return Verdict(label=ReplyClass.OPT_OUT, evidence=found[0])
    return None


def _absent(mail: Reading) -> Verdict | None:
    """An absence note without the headers of one: it begins with the absence and wants nothing."""
    words = normalise(_without_signature(mail.words))
    away = phrases("out_of_office").search(words[:220])
    if not away or "?" in mail.words or phrases("wants_something").search(words):
        return None
    return Verdict(label=ReplyClass.OUT_OF_OFFICE, evidence=away[0], on=return_date(mail.words, today=mail.received_on))


def _person(mail: Reading) -> Verdict | None:
    plain = _without_signature(mail.words)
    words = normalise(plain)
    if not words:
        return None
    declined = phrases("not_interested").search(words)
    interest = phrases("interested").search(phrases("not_interested").sub(" ", words))
    firm = interest and phrases("time_or_place").search(words)
    other = _other_address(mail)
    referral = phrases("referral").search(words) or phrases("left_the_company").search(words)
    if (referral and not firm) or (other and not interest and _domain(other) == _domain(mail.from_address)):
        return Verdict(label=ReplyClass.REFERRAL, evidence=referral[0] if referral else other, address=other)
    later = phrases("not_now").search(words)
    if later and not firm:
        return Verdict(label=ReplyClass.NOT_NOW, evidence=later[0], on=ask_again_on(plain, today=mail.received_on))
    if declined and not firm:
        return Verdict(label=ReplyClass.OTHER, evidence=declined[0])
    if "?" in plain and not firm:
        asked = next((line.strip() for line in re.split(r"(?<=[.!?\n])", plain) if "?" in line), "?")
        return Verdict(label=ReplyClass.QUESTION, evidence=asked)
    return Verdict(label=ReplyClass.INTERESTED, evidence=interest[0]) if interest else None


def _other_address(mail: Reading) -> str:
    """The first address in the words that is not the sender's own."""
    own = mail.from_address.lower()
    return next(
        (
            found.rstrip(".")
            for found in _ADDRESS.findall(_without_signature(mail.words))
            if found.lower().rstrip(".") != own
        ),
        "",
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _without_device(words: str) -> str:
    """Without what a telephone, a mail program or a legal department adds below."""
    return _until(_until(words, _DEVICE), _DISCLAIMER)


def _without_signature(words: str) -> str:
    """Without the closing formula and what stands below it."""
    return _until(_without_device(words), _CLOSING)


def _until(words: str, end: re.Pattern[str]) -> str:
    lines = words.splitlines()
    last = next((number for number, line in enumerate(lines) if number and end.match(normalise(line))), len(lines))
    return "\n".join(lines[:last])
