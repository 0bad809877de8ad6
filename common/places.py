"""Which country a name means, what time it is there, and when people there do not work.

Lists name countries as they like: ``Germany``, ``Deutschland``, ``DE``, ``USA``. Names come from CLDR (through Babel) in
the languages of ``LANGUAGES``, zones from CLDR as well, holidays from the ``holidays`` package.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from common.text import normalise

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
_ALSO: Mapping[str, str] = {
    "usa": "US", "u s a": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL", "korea": "KR", "republic of korea": "KR",
    "south korea": "KR", "uae": "AE", "russian federation": "RU", "peoples republic of china": "CN", "p r china": "CN",
    "prc": "CN", "czech republic": "CZ", "viet nam": "VN", "taiwan r o c": "TW", "turkey": "TR", "turkiye": "TR",
    "hong kong": "HK", "macau": "MO", "brasil": "BR", "ivory coast": "CI", "macedonia": "MK",
}  # fmt: skip
_MAIN_ZONE: Mapping[str, str] = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
    "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa", "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby", "PS": "Asia/Hebron", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
    "UM": "Pacific/Wake", "US": "America/New_York", "UZ": "Asia/Tashkent", "VN": "Asia/Ho_Chi_Minh",
}  # fmt: skip
"""Where most of a country's business is, for countries with several zones."""
_CONSENT_FIRST = frozenset({
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT", "LI",
    "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    codes = {
        normalise(name): code
        for language in reversed(LANGUAGES)
        for code, name in Locale(language).territories.items()
        if len(code) == 2 and code.isalpha()
    }
    codes.update({code.lower(): code for code in list(codes.values())})
    return codes | {normalise(name): code for name, code in _ALSO.items()}


@lru_cache(maxsize=4_096)
def country_code(name: str) -> str:
    """The ISO 3166 code a free text means, or an empty string."""
    return _codes().get(normalise(name.replace(".", " ")), "") if name.strip() else ""


def wants_consent(*names: str) -> bool:
    """Whether the first country that is known asks for consent before it is noticed that a mail was opened.

    EU and EEA: Directive 2002/58/EC, article 5(3); UK: PECR, regulation 6; Switzerland: TCA, article 45c.
    """
    codes = (country_code(name) for name in names if name)
    return next(filter(None, codes), "") in _CONSENT_FIRST


@lru_cache(maxsize=4_096)
def zone_of_country(name: str) -> str:
    """The IANA zone most business of the country is in, or an empty string."""
    code = country_code(name)
    zones = get_global("territory_zones").get(code, [])
    zone = _MAIN_ZONE.get(code) or (zones[0] if zones else "")
    return zone if is_zone(zone) else ""


@lru_cache(maxsize=1_024)
def is_zone(name: str) -> bool:
    """Whether this machine knows the time zone."""
    return name in available_timezones()


def first_zone(*names: str) -> ZoneInfo:
    """The first of the names that is a time zone; UTC when none is."""
    return ZoneInfo(next((name for name in names if name and is_zone(name)), "UTC"))


@lru_cache(maxsize=512)
def holidays_in(country: str, year: int) -> frozenset[date]:
    """The public holidays that all of a country keeps; empty for a country nobody knows."""
    import holidays

    code = country_code(country)
    if code not in holidays.list_supported_countries(include_aliases=False):
        return frozenset()
    return frozenset(holidays.country_holidays(code, years=year))
