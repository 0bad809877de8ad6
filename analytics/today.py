"""What needs a member today: a handful of short lists, each with its count and the list behind it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import TargetAccount, Tier
from activities.models import Activity, Task
from analytics.links import link
from analytics.metrics import reached
from events.models import Event
from identity.models import Organization, User
from meetings.models import Meeting
from outreach.domains import closed as closed_domains
from outreach.filters import SHOWN as SHOWN_MAIL
from outreach.guard import waiting_holds
from outreach.models import HealthPause, InboundMail, Message
from people.models import Person

SHOWN = 5
COUNTED = 1_000
FEED = 20
OPEN = [TargetAccount.Status.PROSPECTING, TargetAccount.Status.ENGAGED, TargetAccount.Status.MEETING_SCHEDULED]
"""Neither won nor lost: what still needs somebody."""


@dataclass(frozen=True)
class Need:
    """Something that waits: how many, in words, and where to deal with it. ``capped`` means there are more."""

    number: int
    words: str
    icon: str
    tone: str
    href: str

    @property
    def capped(self) -> bool:
        return self.number >= COUNTED


@dataclass(frozen=True)
class Today:
    day: date
    day_is_today: bool
    meetings: list[Meeting]
    tasks: list[Task]
    tasks_due: int
    replies: list[InboundMail]
    needs: list[Need]
    feed: list[Activity]


def look(organization: Organization, event: Event | None, user: User) -> Today:
    """Everything on the page, for the chosen show. Meetings are those of ``user``, else the next day with one."""
    day, meetings = _meetings(organization, event, user)
    local = _local_day(event)
    due = _tasks_due(organization, user)
    replies = _replies(organization)
    return Today(
        day=day,
        day_is_today=day == local,
        meetings=meetings,
        tasks=list(due.select_related("account", "person")[:SHOWN]),
        tasks_due=_count(due),
        replies=list(replies.select_related("person__account", "message")[:SHOWN]),
        needs=[need for need in _needs(organization, event, user, replies) if need.number],
        feed=recent(organization, event),
    )


def recent(organization: Organization, event: Event | None) -> list[Activity]:
    """The last 20 things that happened at the show, and what belongs to none (ANA-15)."""
    rows = Activity.objects.for_org(organization).select_related("actor", "account", "person")
    if event:
        rows = rows.filter(event=event)
    return list(rows.newest_first()[:FEED])


def _local_day(event: Event | None) -> date:
    return timezone.now().astimezone(event.zone).date() if event else timezone.localdate()


def _meetings(organization: Organization, event: Event | None, user: User) -> tuple[date, list[Meeting]]:
    """My meetings of today; without any, those of the next day on which I have one."""
    today = _local_day(event)
    if event is None:
        return today, []
    mine = Meeting.objects.for_org(organization).at(event).of_rep(user).exclude(status=Meeting.Status.CANCELLED)
    todays = list(mine.on_day(event, today).for_page().order_by("starts_at"))
    if todays:
        return today, todays
    following = (
        mine.filter(starts_at__gt=timezone.now()).order_by("starts_at").values_list("starts_at", flat=True).first()
    )
    if following is None:
        return today, []
    day = following.astimezone(event.zone).date()
    return day, list(mine.on_day(event, day).for_page().order_by("starts_at"))


def _tasks_due(organization: Organization, user: User) -> QuerySet[Task]:
    return Task.objects.for_org(organization).open().filter(assignee=user, due_on__lte=timezone.localdate())


def _replies(organization: Organization) -> QuerySet[InboundMail]:
    """As the page of replies lists them: of every show, because an answer waits wherever it came from."""
    rows = InboundMail.objects.for_org(organization).filter(kind=InboundMail.Kind.REPLY, sorted_at__isnull=False)
    return rows.open().order_by("-received_at")


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:COUNTED].count()


def _needs(organization: Organization, event: Event | None, user: User, replies: QuerySet[InboundMail]) -> list[Need]:
    messages = Message.objects.for_org(organization)
    if event:
        messages = messages.at(event)
    needs = [
        Need(_count(replies), "replies wait for an answer", "reply", "ok", link("outreach:replies")),
        Need(
            _count(messages.filter(SHOWN_MAIL["draft"][1])), "drafts to approve", "edit", "info",
            link("outreach:list", show="draft"),
        ),
        Need(
            _count(messages.filter(SHOWN_MAIL["decide"][1])), "mails need a decision", "alert", "bad",
            link("outreach:list", show="decide"),
        ),
        Need(
            _count(waiting_holds(organization.pk, now=timezone.now(), user=user)),
            "held accounts wait for your decision", "pause", "warn", link("outreach:holds"),
        ),
        Need(
            _count(HealthPause.objects.for_org(organization).filter(resumed_at=None)),
            "mailboxes paused to protect their reputation", "pause", "bad", link("outreach:mailboxes"),
        ),
        Need(
            len(closed_domains(organization.pk)), "sending domains are not ready, so nothing leaves", "globe", "bad",
            link("outreach:domains"),
        ),
    ]  # fmt: skip
    if event:
        top = TargetAccount.objects.for_org(organization).at(event).filter(tier=Tier.A)
        top = top.filter(status__in=OPEN)
        nobody = top.exclude(
            Exists(Person.objects.filter(organization_id=F("organization_id"), account=OuterRef("account")))
        )
        needs += [
            Need(
                _count(top.filter(owner=None)), "tier A accounts without an owner", "user-plus", "warn",
                link("accounts:list", tier="A", status=OPEN, owner="none"),
            ),
            Need(
                _count(nobody), "tier A accounts without a person", "users", "warn",
                link("accounts:list", tier="A", status=OPEN, contact="no"),
            ),
            Need(
                _count(top.exclude(account_id__in=reached(event, "booked"))), "tier A accounts without a meeting",
                "calendar", "warn", link("accounts:list", tier="A", status=OPEN, reached="not-booked"),
            ),
        ]  # fmt: skip
    return needs
