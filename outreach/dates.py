"""Dates as people write them in mails, in six languages: when they are back, when to ask again. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta

from common.text import normalise
from outreach.wording import phrases

_MONTH_NAMES = (
    ("january", "januar", "janner", "janvier", "enero", "gennaio", "januari"),
    ("february", "februar", "feber", "fevrier", "febrero", "febbraio", "februari"),
    ("march", "marz", "maerz", "mars", "marzo", "maart"),
    ("april", "avril", "abril", "aprile"),
    ("may", "mai", "mayo", "maggio", "mei"),
    ("june", "juni", "juin", "junio", "giugno"),
    ("july", "juli", "juillet", "julio", "luglio"),
    ("august", "aout", "agosto", "augustus"),
    ("september", "septembre", "septiembre", "settembre"),
    ("october", "oktober", "octobre", "octubre", "ottobre"),
    ("november", "novembre", "noviembre"),
    ("december", "dezember", "decembre", "diciembre", "dicembre"),
)
_OTHERS = (
    "janeiro styczniu stycznia", "fevereiro lutym lutego", "marco marcu marca", "abril kwietniu kwietnia", "maio maju maja",
    "junho czerwcu czerwca", "julho lipcu lipca", "agosto sierpniu sierpnia", "setembro wrzesniu wrzesnia",
    "outubro pazdzierniku pazdziernika", "novembro listopadzie listopada", "dezembro grudniu grudnia",
)  # fmt: skip
_SHORT = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ALSO_SHORT = {
    "sept": 9,
    "okt": 10,
    "dez": 12,
    "mrt": 3,
    "mrz": 3,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
    "gen": 1,
    "mag": 5,
}
MONTHS = (
    {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names}
    | {name: number for number, name in enumerate(_SHORT, start=1)}
    | {name: number for number, names in enumerate(_OTHERS, start=1) for name in names.split()}
    | _ALSO_SHORT
)
_WEEKDAY_NAMES = (
    ("monday", "montag", "lundi", "lunes", "lunedi", "maandag"),
    ("tuesday", "dienstag", "mardi", "martes", "martedi", "dinsdag"),
    ("wednesday", "mittwoch", "mercredi", "miercoles", "mercoledi", "woensdag"),
    ("thursday", "donnerstag", "jeudi", "jueves", "giovedi", "donderdag"),
    ("friday", "freitag", "vendredi", "viernes", "venerdi", "vrijdag"),
    ("saturday", "samstag", "samedi", "sabado", "sabato", "zaterdag"),
    ("sunday", "sonntag", "dimanche", "domingo", "domenica", "zondag"),
)
WEEKDAYS = {name: number for number, names in enumerate(_WEEKDAY_NAMES) for name in names}
_NUMBERS = {
    word: number
    for number, words in {
        1: "a an one einem einer un une uno una een", 2: "two zwei deux dos due twee couple",
        3: "three drei trois tres tre drie few",
        4: "four vier quatre cuatro quattro", 5: "five funf cinq cinco cinque vijf", 6: "six sechs seis sei zes",
        8: "eight acht huit ocho otto",
    }.items()
    for word in words.split()
}  # fmt: skip
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(WEEKDAYS)
_DATES = re.compile(
    rf"(?P<iso>\b(?P<iy>20\d\d)-(?P<im>\d\d)-(?P<id>\d\d)\b)"
    rf"|\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|\.|o|°)? ?(?:of |de |"
    rf"\.)?(?P<m1>{_MONTH})\b\.?,?(?: (?:de |del )?(?P<y1>20\d\d))?"
    rf"|\b(?P<m2>{_MONTH})\b\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<y2>20\d\d))?"
    r"|\b(?P<d3>\d{1,2})[./-](?P<m3>\d{1,2})(?:[./-](?P<y3>(?:20)?\d\d)|\.)?(?![\d/])"
)
_UNTIL = re.compile(
    r"\b(?:until|till|through|thru|up to|bis|jusqu'?\s?(?:au|a|en)|hasta|fino|tot|inclusive|"
    r"inklusive|einschliesslich|inclus|"
    r"compris|incluido|compreso|t/m|tot en met|al)\b[^.;\n]{0,30}$"
)
_BACK = re.compile(
    r"\b(?:back|return\w*|again|available|reachable|wieder|zuruck|ab(?: dem)?|erreichbar|retour|"
    r"a partir|a compter|vuel\w+|volv\w+|regres\w+|reincorp\w+|"
    r"rientr\w+|riprend\w+|reprise|torn\w+|repren\w+|revien\w+|wracam|regresso|regresamos|di nuovo|nuovamente|dal|"
    r"terug|weer|vanaf|as of|from|desde|resum\w+)\b[^.;\n]{0,40}$"
)
_BACK_AFTER = re.compile(
    r" *(?:\d{4} )?(?:at \d+ )?(?:ben|bin|sind|zijn|staan|i am|i will be|je suis|ik|wir|ich|wij)?[ \w]{0,14}\b"
    r"(?:wieder|zuruck|weer|terug|back|again|op kantoor|im buro)\b"
)
LONGEST = timedelta(days=400)


def mentioned(text: str, *, today: date) -> Iterator[tuple[date, int, int]]:
    """Every date in the (normalised) text with where it begins and ends; one without a year is the next such day."""
    for match in _DATES.finditer(text):
        found = _read(match, today)
        if found is not None:
            yield found, match.start(), match.end()


def _read(match: re.Match[str], today: date) -> date | None:
    part = match.groupdict()
    if part["iso"]:
        return _date(int(part["iy"]), int(part["im"]), int(part["id"]))
    if part["d3"]:
        day, month = int(part["d3"]), int(part["m3"])
        year = int(part["y3"]) % 100 + 2000 if part["y3"] else None
        if month > 12 >= day or (
            "/" in match[0] and day <= 12 and _days_off(month, day, year, today) < _days_off(day, month, year, today)
        ):
            # Americans write the month first: of two readings the one that is nearer in the future is meant.
            day, month = month, day
    else:
        day, month = int(part["d1"] or part["d2"]), MONTHS[part["m1"] or part["m2"]]
        year = int(part["y1"] or part["y2"]) if part["y1"] or part["y2"] else None
    if year is not None:
        return _date(year, month, day)
    found = _date(today.year, month, day)
    return _date(today.year + 1, month, day) if found is not None and found < today - timedelta(days=31) else found


def _days_off(day: int, month: int, year: int | None, today: date) -> int:
    """How far in the future the day lies, a past one far away."""
    found = _date(year or today.year, month, day)
    ahead = (found - today).days if found else 10_000
    return ahead if ahead >= 0 else 5_000 - ahead


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def return_date(text: str, *, today: date) -> date | None:
    """The first day somebody is back, as an absence note says it; ``None`` when it does not.

    "Back on the 3rd" is the 3rd, "until the 3rd" the day after; of several dates the one that says "back" counts, else
    the last.
    """
    plain = normalise(text)
    back: list[date] = []
    until: list[date] = []
    other: list[date] = []
    for found, start, end in mentioned(plain, today=today):
        if not today - timedelta(days=3) <= found <= today + LONGEST:
            continue
        before = plain[max(0, start - 60) : start]
        at_until, at_back = _UNTIL.search(before), _BACK.search(before) or _BACK_AFTER.match(plain[end:])
        if at_until and (not at_back or at_back.re is _BACK_AFTER or at_until.start() >= at_back.start()):
            until.append(found + timedelta(days=1))
        elif at_back:
            back.append(found)
        else:
            other.append(found + timedelta(days=1))
    later = [day for day in back if day >= today]
    if later and (not until or max(later) >= max(until) - timedelta(days=1)):
        return max(later)
    return max(until or back or other, default=None) or _weekday_return(plain, today)


def _weekday_return(plain: str, today: date) -> date | None:
    match = re.search(
        rf"\b(?:until|till|bis|jusqu'?a?|hasta|fino a|tot|back|return\w*|wieder|retour|vuelvo|"
        rf"regreso|rientro|terug|weer)\b[^.;\n]{{0,40}}?\b({_WEEKDAY})\b",
        plain,
    )
    if match:
        return _coming(match[1], today)
    match = re.search(
        rf"\b({_WEEKDAY})\b[^.;\n]{{0,25}}\b(?:zuruck|wieder|back|terug|weer|de retour|de vuelta)\b", plain
    )
    if match:
        return _coming(match[1], today)
    if re.search(r"\b(?:tomorrow|morgen|demain|manana|domani)\b", plain):
        return today + timedelta(days=1)
    return None


def _coming(weekday: str, today: date) -> date:
    return today + timedelta(days=(WEEKDAYS[weekday] - today.weekday()) % 7 or 7)


def ask_again_on(text: str, *, today: date) -> date | None:
    """The day somebody wants to hear of us again; ``None`` when the text does not say one."""
    plain = normalise(text)
    said = [found for found, _, _ in mentioned(plain, today=today) if today < found <= today + LONGEST]
    if said:
        return min(said)
    for reader in (_in_some_time, _quarter, _month, _season, _next):
        found = reader(plain, today)
        if found is not None:
            return found
    return None


def _in_some_time(plain: str, today: date) -> date | None:
    if re.search(r"\bhal(?:f|be[sn]?) (?:a )?(?:year|jahr\w*|jaar)\b|\bsix mois\b|\bmedio ano\b", plain):
        return _months_later(today, 6)
    week = re.search(r"\b(?:kw|week|semaine|semana|settimana) ?(\d{1,2})\b", plain)
    if week and 1 <= int(week[1]) <= 53:
        year = today.year + (int(week[1]) <= today.isocalendar().week)
        return date.fromisocalendar(year, min(int(week[1]), 52), 1)
    match = re.search(
        r"\b(?:in|dans|dentro de|en|tra|fra|over|after|na|nach)\s+(?:unos?|unas?|ein paar |"
        r"about |etwa |circa )?\s*(?P<n>\d{1,2}|[a-z]+)(?: of)? "
        r"(?P<unit>weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken|week|months?|"
        r"monat(?:en?)?|mois|mes(?:es)?|mes[ei]|maand(?:en)?)\b",
        plain,
    )
    if not match:
        return None
    number = int(match["n"]) if match["n"].isdigit() else _NUMBERS.get(match["n"])
    if not number:
        return None
    if match["unit"].startswith(("w", "s")):
        return today + timedelta(weeks=number)
    return _months_later(today, number)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


_QUARTERS = {
    1: "first erste ersten erstes premier primer primo eerste", 2: "second zweite zweiten deuxieme segundo secondo tweede",
    3: "third dritte dritten troisieme tercer terzo derde", 4: "fourth vierte vierten quatrieme cuarto quarto vierde",
}  # fmt: skip
_QUARTER_OF = {word: number for number, words in _QUARTERS.items() for word in words.split()}
_QUARTER = re.compile(
    rf"\b(?:q(?P<q>[1-4])|(?:(?P<o>[1-4])(?:st|nd|rd|th|\.|er|e|o)?|(?P<w>{'|'.join(_QUARTER_OF)})) ?"
    r"(?:quarter|quartal|trimestre|kwartaal))\b(?:,? (?:of |de |del )?(?P<y>20\d\d))?"
)


def _quarter(plain: str, today: date) -> date | None:
    match = _QUARTER.search(plain)
    if match:
        number = int(match["q"] or match["o"] or _QUARTER_OF[match["w"]])
        month = number * 3 - 2
        year = int(match["y"]) if match["y"] else today.year + (date(today.year, month, 1) <= today)
        return date(year, month, 1)
    if phrases("next_quarter").search(plain):
        first = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
        return _months_later(first, 3)
    return None


def _month(plain: str, today: date) -> date | None:
    match = re.search(
        rf"\b(?P<part>end|ende|fin|finales|fine|eind|mid|mitte|mi|medio|meta)?(?: of| de| di|"
        rf" von)?[ -]?(?P<m>{_MONTH})\b(?: (?:of |de |del )?(?P<y>20\d\d))?",
        plain,
    )
    if not match or (
        match["m"] in {"may", "mar", "mars", "mai"}
        and not re.search(
            rf"\b(?:in|until|after|early|late|end|mid|im|ab|nach|anfang|ende|mitte|en|debut|fin|"
            rf"apres|a|vanaf|begin|eind|di|of)[ -]{match['m']}\b",
            plain,
        )
    ):
        return None
    month = MONTHS[match["m"]]
    year = int(match["y"]) if match["y"] else today.year + (month <= today.month)
    part = match["part"] or ""
    day = 25 if part.startswith(("e", "f")) else 15 if part.startswith("m") else 1
    return date(year, month, day)


def _season(plain: str, today: date) -> date | None:
    for month, words in ((3, "spring"), (9, "autumn"), (6, "summer")):
        if phrases(words).search(plain):
            return date(today.year + (date(today.year, month, 1) <= today), month, 1)
    if phrases("after_new_year").search(plain):
        return date(today.year + 1, 1, 8)
    return None


def _next(plain: str, today: date) -> date | None:
    if phrases("next_year").search(plain):
        return date(today.year + 1, 1, 1)
    if phrases("next_month").search(plain):
        return _months_later(today.replace(day=1), 1)
    return None
