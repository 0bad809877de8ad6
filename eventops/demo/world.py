"""What the sections of the demo share: the organization, its members, its shows, and chance that repeats itself."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

from events.models import Event
from identity.models import Organization, User

SLUG = "kestrel"
SHOW, PREVIOUS_SHOW = "techexpo-2026", "techexpo-2025"


@dataclass
class World:
    organization: Organization
    members: list[User] = field(default_factory=list)
    """The person who signs in first, then the manager, the reps and a viewer, in the order of ``members.PEOPLE``."""
    show: Event = field(init=False)
    previous: Event = field(init=False)
    now: datetime = field(default_factory=timezone.now)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def reps(self) -> list[User]:
        """The five who own accounts and sit in meetings."""
        return self.members[1:6]

    def moment(self, days: int, hour: int = 9, minute: int = 0) -> datetime:
        """A moment ``days`` after today, as the clocks of the show have it; never after now for days up to zero."""
        found = datetime.combine(self.today + timedelta(days=days), time(hour, minute), tzinfo=self.show.zone)
        return min(found, self.now - timedelta(minutes=3)) if days <= 0 else found


class Chance(random.Random):
    """Random numbers that are the same on every machine, one stream per section."""

    def __init__(self, section: str) -> None:
        super().__init__(f"eventops demo {section}")

    def uuid(self) -> UUID:
        return UUID(int=self.getrandbits(128), version=4)

    def likely(self, probability: float) -> bool:
        return self.random() < probability
