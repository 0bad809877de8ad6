"""Met at the booth: one tap says who was here, and when. Badge scans will come through the same door."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from activities.models import Activity, BoothVisit
from activities.signals import visit_undone
from common.happenings import Happening, Kind, announce
from events.models import Event
from identity.models import User
from people.models import Person

LONGEST_AGO = timedelta(days=30)


class WrongTime(ValueError):
    """Nobody can have been met then; its text says why."""


class TooLate(Exception):
    """The visit cannot be taken back any more."""


@transaction.atomic
def meet(
    person: Person, *, event: Event, rep: User, note: str = "", met_at: datetime | None = None
) -> tuple[BoothVisit, bool]:
    """Write down that the person was at our booth, and whether that was new: once a person, show and minute.

    A note that comes later in the same minute is kept. Raises ``WrongTime`` for the future and for more than 30 days ago.
    """
    now = timezone.now()
    at = met_at or now
    if not now - LONGEST_AGO <= at <= now + timedelta(minutes=1):
        raise WrongTime("Give a time of the last 30 days.")
    visit, is_new = BoothVisit.objects.get_or_create(
        organization_id=person.organization_id, person=person, event=event, minute=at.replace(second=0, microsecond=0),
        defaults={"rep": rep, "met_at": at, "note": note.strip()[:500]},
    )  # fmt: skip
    if is_new:
        announce(
            Happening(
                kind=Kind.BOOTH_VISIT, organization_id=person.organization_id, actor_id=rep.pk, event_id=event.pk,
                account_id=person.account_id, person_id=person.pk, summary=_summary(visit), occurred_at=at,
                entry_id=visit.pk,
            )
        )  # fmt: skip
    elif note.strip():
        add_note(visit, note=note)
    return visit, is_new


@transaction.atomic
def add_note(visit: BoothVisit, *, note: str) -> None:
    """Say what was talked about; it stands on the timeline with the visit."""
    visit.note = note.strip()[:500]
    visit.save(update_fields=["note", "updated_at"])
    Activity.objects.for_org(visit.organization_id).filter(pk=visit.pk).update(
        summary=_summary(visit), updated_at=timezone.now()
    )


@transaction.atomic
def undo(visit: BoothVisit, *, actor: User) -> None:
    """The tap was a mistake: as if it had never been. Raises ``TooLate`` after a minute."""
    if not visit.may_be_undone:
        raise TooLate("A visit can be taken back within a minute.")
    visit_undone.send(sender=BoothVisit, visit=visit, actor=actor)
    Activity.objects.for_org(visit.organization_id).filter(pk=visit.pk).delete()
    visit.delete()


def _summary(visit: BoothVisit) -> str:
    return f"Met at the booth: {visit.note}"[:300] if visit.note else "Met at the booth"
