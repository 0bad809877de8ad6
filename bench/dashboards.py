"""The dashboard of a show with very many messages: the whole request, as the application role."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db import connection
from django.test import Client

from analytics import cache, folding
from bench.data import Big, ensure_big
from bench.registry import Figure, bench, note, p95, scaled, stopwatch
from identity.scope import org_scope, system_scope
from meetings.models import Meeting
from outreach.models import Message

MESSAGES = 3_000_000
MEETINGS = 15_000
ROUNDS = 15
STEP = 200_000

_MESSAGES = """
INSERT INTO outreach_message (id, organization_id, created_at, updated_at, person_id, account_id, event_id, owner_id, channel,
  to_address, subject, body, text, html, state, reason, attempts, mail_message_id, mail_thread_id, provider_message_id,
  bounce_reason, to_announce, sent_at, delivered_at, opened_at, replied_at, bounced_at)
SELECT uuidv7(), %(organization)s, now(), now(), person.id, person.account_id, %(event)s, %(user)s, 'email', person.email,
  'Meet us at the fair', repeat('We would like to show you our robots. ', 6), '', '',
  CASE WHEN h %% 10 < 9 THEN 'accepted' ELSE 'draft' END, '', 1, '', '', '', '', false, sent,
  CASE WHEN h %% 30 > 0 THEN sent END, CASE WHEN h %% 2 = 0 THEN sent + interval '1 hour' END,
  CASE WHEN h %% 7 = 0 THEN sent + interval '1 day' END, CASE WHEN h %% 30 = 0 THEN sent END
FROM (
  SELECT p.*, CASE WHEN h %% 10 < 9 THEN now() - h %% 5000000 * interval '1 second' END AS sent FROM (
    SELECT id, account_id, email, abs(hashtext(id::text || %(round)s)) AS h FROM people_person
    WHERE organization_id = %(organization)s AND abs(hashtext(id::text)) %% 100000 < %(portion)s
  ) AS p
) AS person
"""
_MEETINGS = """
INSERT INTO meetings_meeting (id, organization_id, created_at, updated_at, event_id, account_id, title, starts_at, ends_at,
  location, status, meeting_type, notes, outcome, cancel_reason, sequence)
SELECT uuidv7(), %(organization)s, now(), now(), %(event)s, id, name, now() + n * interval '1 minute',
  now() + n * interval '1 minute' + interval '30 minutes', '', (ARRAY['requested', 'confirmed', 'held', 'no_show'])[1 + n %% 4],
  'INTRO', '', '', '', 0
FROM (SELECT id, name, row_number() OVER (ORDER BY id) AS n FROM accounts_account WHERE organization_id = %(organization)s) AS a
WHERE n <= %(count)s
"""


def ensure_history(big: Big, messages: int) -> None:
    """Bring the show to ``messages`` messages and its meetings; what is there is kept."""
    values = {"organization": big.organization.pk, "event": big.event.pk, "user": big.user.pk}
    with org_scope(big.organization.pk):
        there = Message.objects.for_org(big.organization).count()
        met = Meeting.objects.for_org(big.organization).exists()
    with stopwatch() as seconds:
        number = 0
        while there < messages * 0.98:
            number += 1
            portion = min(100_000, round(min(STEP, messages - there) / big.people * 100_000) + 1)
            with system_scope(), connection.cursor() as cursor:
                cursor.execute(_MESSAGES, {**values, "portion": portion, "round": f"{there}-{number}"})
                there += cursor.rowcount
            folding.fold()
            note(f"{there:,} messages after {seconds():.0f} s")
        if not met:
            with system_scope(), connection.cursor() as cursor:
                cursor.execute(_MEETINGS, {**values, "count": scaled(MEETINGS)})
        folding.fold()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE analytics_accounttally, analytics_messagetally, analytics_peopletally")
            cursor.execute("ANALYZE outreach_message, meetings_meeting")


@bench("dashboard_cached_ms", "dashboard_cold_ms")
def dashboard() -> Iterator[Figure]:
    """The page as a member opens it: when somebody has looked before, and right after something changed."""
    big = ensure_big()
    ensure_history(big, scaled(MESSAGES))
    logging.disable(logging.INFO)
    client = Client(SERVER_NAME="localhost")
    client.force_login(big.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def open_page() -> float:
        with stopwatch() as seconds:
            response = client.get("/dashboard/")
            assert response.status_code == 200, response.status_code
        return seconds() * 1000

    open_page()
    cold = []
    for _ in range(ROUNDS):
        cache.bump(big.organization.pk)
        cold.append(open_page())
    cached = [open_page() for _ in range(ROUNDS * 2)]
    yield Figure("dashboard_cached_ms", p95(cached), "ms")
    yield Figure("dashboard_cold_ms", p95(cold), "ms")
