"""One side of the sweep's bench, in a database of its own: ``python -m bench.sweep_worker PEOPLE DATABASE``.

Makes ten enrollments for each of so many people, once, then measures a round for every line on standard input and prints
the milliseconds that one due step cost.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time as clock
from uuid import UUID

import django
from django.core.management import call_command
from django.db import connection

from bench.registry import note, stopwatch

SEQUENCES = 10
DUE = 2_000
COHORT = 100
"""People who began together come due together: due rows stand in groups of so many."""
TABLES = ("sequences_enrollment", "sequences_steprun", "outreach_message")
# Most have gone through; of the others most wait for a mail, and one in twenty of all is on its way.
_ENROLLMENTS = """
INSERT INTO sequences_enrollment (id, organization_id, created_at, updated_at, sequence_id, version_id, person_id, mailbox_id,
  time_zone, is_exclusive, source, state, cause, reason, step_id, due_at, started_at, previous_at, finished_at)
SELECT uuidv7(make_interval(secs => place / 1000.0 - 1e6)), %(organization)s, began, began, %(sequence)s, %(version)s, id,
  %(mailbox)s, 'Europe/Berlin', false, 'bench', state,
  CASE state WHEN 'active' THEN 'scheduled' WHEN 'waiting' THEN 'mail' WHEN 'held' THEN 'late' ELSE 'completed' END, '',
  CASE WHEN state <> 'completed' THEN %(step)s::uuid END,
  CASE WHEN state = 'active' THEN now() + interval '30 days' + (place %% 86400) * interval '1 second' END,
  began, began, CASE WHEN state = 'completed' THEN began + interval '9 days' END
FROM (
  SELECT id, place, now() - interval '60 days' + place * interval '1 second' AS began,
    CASE WHEN place / %(cohort)s %% 20 = 0 THEN 'active' WHEN place %% 10 < 2 THEN 'waiting' WHEN place %% 100 = 9 THEN 'held'
      ELSE 'completed' END AS state
  FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM people_person WHERE organization_id = %(organization)s) AS p
) AS made
"""


def ensure_enrollments(people: int) -> UUID:
    """The organization with ``people`` people, each in ten sequences; made once and then kept."""
    from bench.data import ensure_big
    from identity.scope import org_scope, system_scope
    from outreach.models import Mailbox, Template
    from sequences.models import Enrollment, Sequence
    from sequences.services import plans

    big = ensure_big(people, max(10, people // 10))
    organization = big.organization
    with system_scope():
        organization.postal_address = "1 Harbour Street, 20095 Hamburg"
        organization.save()
    with org_scope(organization.pk):
        found = Enrollment.objects.for_org(organization).filter(source="bench")[: people * SEQUENCES].count()
    if found == people * SEQUENCES:
        return organization.pk
    note(f"making {people * SEQUENCES:,} enrollments, once")
    with org_scope(organization.pk):
        Enrollment.objects.for_org(organization).filter(source="bench").delete()
        Sequence.objects.for_org(organization).filter(name__startswith="Bench sweep").delete()
        mailbox, _ = Mailbox.objects.get_or_create(
            organization=organization, name="Bench sweep", from_name="Nora Nord", from_address="nora@nordlicht.example",
            window_days=list(range(7)), window_opens=clock.min, window_closes=clock.max,
        )  # fmt: skip
        template, _ = Template.objects.get_or_create(
            organization=organization,
            name="Bench sweep",
            defaults={"subject": "Hello", "body": "Hello {{ first_name }}"},
        )
    with without_indexes("sequences_enrollment"):
        for number in range(SEQUENCES):
            with org_scope(organization.pk):
                sequence = Sequence.objects.create(
                    organization=organization, name=f"Bench sweep {number}", mailbox=mailbox, is_exclusive=False
                )
                plans.add_step(sequence, fields={"kind": "wait", "delay_days": 1})
                title = {"tests": [{"fact": "person.title", "is": "contains", "value": "head"}]}
                branch = plans.add_step(sequence, fields={"kind": "branch", "rule": title})
                plans.add_step(sequence, fields={"kind": "task", "subject": "Call"}, parent=branch, lane="yes")
                plans.add_step(sequence, fields={"kind": "email", "template": template, "delay_days": 1})
                version = plans.publish(sequence, actor=big.user)
                with connection.cursor() as cursor:
                    cursor.execute(
                        _ENROLLMENTS,
                        {
                            "organization": organization.pk, "sequence": sequence.pk, "version": version.pk,
                            "mailbox": mailbox.pk, "step": version.read().first, "cohort": COHORT,
                        },
                    )  # fmt: skip
            note(f"{(number + 1) * people:,} enrollments")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE sequences_enrollment")
    return organization.pk


@contextmanager
def without_indexes(table: str) -> Iterator[None]:
    """Fill a table fast: its indexes and its foreign keys are taken away for the length of the block.

    The foreign keys come back without a look at the rows that are there, which the generator vouches for.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        constraints = cursor.fetchall()
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes i WHERE tablename = %s AND NOT EXISTS "
            "(SELECT FROM pg_constraint c WHERE c.conrelid = %s::regclass AND c.conname = i.indexname)",
            [table, table],
        )
        indexes = cursor.fetchall()
        for name, _ in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '1GB'")
            for _, definition in indexes:
                cursor.execute(definition)
            for name, definition in constraints:
                unlooked = "" if "NOT VALID" in definition else " NOT VALID"
                cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}{unlooked}')


class Rounds:
    """Makes steps due, sweeps them, and puts everything back."""

    def __init__(self, organization_id: UUID) -> None:
        from identity.scope import org_scope

        self.organization_id, self._dice = organization_id, random.Random(5)
        with org_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT enrollment_id FROM sequences_steprun UNION SELECT m.enrollment_id FROM outreach_message m "
                "JOIN sequences_enrollment e ON e.id = m.enrollment_id WHERE e.source = 'bench'"
            )
            left_over = [row[0] for row in cursor.fetchall()]
        self._put_back(left_over)
        with org_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM sequences_enrollment WHERE state = 'active' AND source = 'bench' ORDER BY id"
            )
            ids = [row[0] for row in cursor.fetchall()]
        self._cohorts = [ids[start : start + COHORT] for start in range(0, len(ids), COHORT)]

    def measure(self) -> float:
        """Milliseconds per due step."""
        from sequences import runner

        cohorts = self._dice.sample(self._cohorts, min(len(self._cohorts), DUE // COHORT))
        ids = [pk for cohort in cohorts for pk in cohort]
        self._change(
            "UPDATE sequences_enrollment SET due_at = now() - interval '1 minute' * random() WHERE id = ANY(%s)", ids
        )
        with stopwatch() as seconds:
            done = 0
            while moved := runner.move_due(self.organization_id).processed:
                done += moved
        assert done == len(ids), (done, len(ids))
        self._put_back(ids)
        return 1000 * seconds() / done

    def _put_back(self, ids: list[UUID]) -> None:
        self._change(
            "WITH runs AS (DELETE FROM sequences_steprun WHERE enrollment_id = ANY(%s) RETURNING step_id, enrollment_id) "
            "UPDATE sequences_enrollment e SET state = 'active', cause = 'scheduled', message_id = NULL, task_id = NULL, "
            "due_at = now() + interval '30 days', step_id = (v.plan->>'first')::uuid "
            "FROM sequences_sequenceversion v WHERE v.id = e.version_id AND e.id = ANY(%s)",
            ids,
            ids,
        )
        self._change("DELETE FROM outreach_message WHERE enrollment_id = ANY(%s)", ids)
        self._change("DELETE FROM activities_task WHERE title = 'Call'")

    def _change(self, statement: str, *ids: list[UUID]) -> None:
        from identity.scope import org_scope

        with org_scope(self.organization_id), connection.cursor() as cursor:
            cursor.execute(statement, list(ids))


def main() -> None:
    from bench.__main__ import use_own_database

    use_own_database(sys.argv[2])
    django.setup()
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    rounds = Rounds(ensure_enrollments(int(sys.argv[1])))
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"ms": rounds.measure()}), flush=True)


if __name__ == "__main__":
    main()
