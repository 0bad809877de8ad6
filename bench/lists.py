"""Lists and search of people at a million rows, through the pages: the whole request, as the application role."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.filters import Rows
from bench.data import Big, ensure_big
from bench.registry import Figure, bench, note, p95, stopwatch
from common.paging import encode_cursor
from identity.scope import org_scope
from people.filters import PersonFilter

QUERIES = (
    "", "sort=name", "sort=-created", "tier=A", "tier=A&sort=name", "tier=A&tier=B&status=ENGAGED", "persona=is_proc",
    "persona=is_exec_ops&score_min=60", "owner=me&sort=name", "owner=me&tier=A", "score_min=70&score_max=90", "stage=Booked",
    "all=1", "all=1&sort=name", "all=1&persona=is_tech&sort=-name", "status=WON&stage=Booked&tier=A",
    "owner=none&tier=D&persona=is_sales", "persona=is_exec_ops&sort=score", "score_min=99&persona=is_non_ops",
)  # fmt: skip
DEEP = 10_000
TYPED = (
    "anna", "anna l", "anna linderg", "stein", "head of op", "procurement off", "@gmail", "wal", "rob", "robotics", "marsen rob",
    "clara holberg", "felix.garov", "osterenko", "uwe", "zoe w", "lindbergton", "petinix sensors", "rosfeldner plastics", "yu",
    "ma", "zo w", "gmbh", "managng director",
)  # fmt: skip
MISSPELLED = ("anna linderg", "osterenko", "rosfeldner plastics", "managng director", "@gmail", "logstics")
"""What nothing is spelled like; the page says so at once and then asks for what comes close."""
ROUNDS = 5


def _client(big: Big) -> Client:
    logging.disable(logging.INFO)
    client = Client(SERVER_NAME="localhost")
    client.force_login(big.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _ask(client: Client, query: str, part: str = "") -> float:
    """Milliseconds of one request for the list, or for the ``part`` of it that comes after the page."""
    headers = {"HX-Request": "true"} | ({"HX-Trigger": part} if part else {})
    with stopwatch() as seconds:
        response = client.get(f"/people/?{query}", headers=headers)
        assert response.status_code == 200, response.status_code
    return seconds() * 1000


def _p95_of(client: Client, queries: list[str], label: str, part: str = "") -> float:
    samples: list[float] = []
    for query in queries:
        _ask(client, query, part)
        taken = [_ask(client, query, part) for _ in range(ROUNDS)]
        note(f"{label} {max(taken):7.1f} ms  ?{query[:90]}")
        samples += taken
    return p95(samples)


def _most_queries(big: Big) -> int:
    """The most statements that one of the lists takes, savepoints and settings included."""
    client, most = _client(big), 0
    for query in QUERIES:
        client.get(f"/people/?{query}")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/people/?{query}")
        most = max(most, len(captured))
    return most


@bench("list_people_p95_ms", "list_people_deep_p95_ms", "list_count_p95_ms")
def lists() -> Iterator[Figure]:
    """Page 1 and page 10,000 of filtered and sorted lists; the same number of queries as at 1,000 people."""
    big, small = ensure_big(), ensure_big(people=1_000, accounts=100)
    at_many, at_few = _most_queries(big), _most_queries(small)
    note(f"a list takes {at_few} statements at most at 1,000 people, {at_many} at a million")
    assert at_many <= at_few, "the number of queries grows with the rows"
    client = _client(big)
    yield Figure("list_people_p95_ms", _p95_of(client, list(QUERIES), "page 1"), "ms")
    deep = [f"{query}&cursor={cursor}" for query in QUERIES if (cursor := _deep_cursor(big, query))]
    yield Figure("list_people_deep_p95_ms", _p95_of(client, deep, "deep"), "ms")
    yield Figure("list_count_p95_ms", _p95_of(client, list(QUERIES), "exact count", part="count"), "ms")


def _deep_cursor(big: Big, query: str) -> str:
    """The cursor of page 10,000, or of the last whole page of a shorter list."""
    from django.http import QueryDict

    with org_scope(big.organization.pk):
        chosen = PersonFilter(QueryDict(query), organization=big.organization, user=big.user, event=big.event)
        rows: Rows = chosen.ordered(chosen.rows())
        place = min(50 * (DEEP - 1), max(0, rows.count() - 60))
        names = [name.lstrip("-") for name in chosen.sort_fields]
        values: Any = rows.values_list(*names, "pk")[place : place + 1]
        keys = [*chosen.sort_fields, "-id" if chosen.sort.startswith("-") else "id"]
        return encode_cursor(keys, list(values[0])) if values else ""


@bench("search_people_p95_ms", "search_alike_p95_ms")
def search() -> Iterator[Figure]:
    """The list while somebody types, with frequent and rare words, several words, parts of addresses."""
    big = ensure_big()
    client = _client(big)
    yield Figure("search_people_p95_ms", _p95_of(client, [f"q={quote(text)}" for text in TYPED], "search"), "ms")
    misspelled = [f"q={quote(text)}" for text in MISSPELLED]
    yield Figure("search_alike_p95_ms", _p95_of(client, misspelled, "alike", part="alike"), "ms")
