"""The running sums say what counting everything anew would say, whatever is written, changed and deleted."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q

from accounts.models import Account, TargetAccount
from analytics import folding, metrics
from analytics.models import AccountTally, MessageTally, PeopleTally
from events.models import Event
from identity.models import Organization
from identity.scope import org_scope, system_scope
from meetings.models import Meeting
from outreach.models import Message
from people.models import Person
from tests.factories import AccountFactory, EventFactory, OrganizationFactory, PersonFactory, TargetAccountFactory

pytestmark = pytest.mark.django_db
NOW = datetime.now(tz=UTC)


def _reference(organization: Organization, event: Event | None) -> dict[str, Any]:
    """Counted the slow way."""
    at: dict[str, Any] = {"event": event} if event else {}
    messages = Message.objects.for_org(organization).filter(**at)
    targets = TargetAccount.objects.for_org(organization).filter(**at)
    meetings = Meeting.objects.for_org(organization).filter(**at)
    today = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    recent = messages.filter(sent_at__gte=today - timedelta(days=29), sent_at__lt=today + timedelta(days=1))
    booked = Q(status__in=["confirmed", "checked_in", "held", "no_show"])

    def reached(rows: Any) -> int:
        pairs = set(rows.filter(account__isnull=False).values_list("event_id", "account_id"))
        return len(pairs & set(targets.values_list("event_id", "account_id")))

    scores: dict[Any, list[int]] = {}
    for account in messages.filter(account__isnull=False).values_list("account_id", flat=True):
        scores.setdefault(account, [0, 0])[1] += 1
    for account in (
        meetings.exclude(status="cancelled").filter(account__isnull=False).values_list("account_id", flat=True)
    ):
        scores.setdefault(account, [0, 0])[0] += 1
    people = Person.objects.for_org(organization)
    if event:
        people = people.filter(account__in=targets.values("account_id"))
    return {
        "people": people.count(),
        "outreach": messages.count(),
        "meetings": meetings.exclude(status="cancelled").count(),
        "outreach_by_status": {s: messages.filter(status=s).count() for s in Message.Status.values},
        "meetings_by_status": {s: meetings.filter(status=s).count() for s in Meeting.Status.values},
        "rate": (recent.count(), recent.filter(replied_at__isnull=False).count()),
        "funnel": {
            "targets": targets.count(),
            "contacted": reached(messages.filter(sent_at__isnull=False)),
            "delivered": reached(messages.filter(delivered_at__isnull=False)),
            "opened": reached(messages.filter(opened_at__isnull=False)),
            "replied": reached(messages.filter(replied_at__isnull=False)),
            "booked": reached(meetings.filter(booked)),
            "held": reached(meetings.filter(status="held")),
        },
        "top": sorted((m * 10 + o for m, o in scores.values()), reverse=True)[:10],
    }


def _computed(organization: Organization, event: Event | None) -> dict[str, Any]:
    found = metrics.compute(organization, event)
    return {
        "people": found.people,
        "outreach": found.outreach,
        "meetings": found.meetings,
        "outreach_by_status": found.outreach_by_status,
        "meetings_by_status": found.meetings_by_status,
        "rate": (found.rate.sent, found.rate.replied),
        "funnel": found.funnel,
        "top": [account.score for account in found.top],
    }


class _Chaos:
    """Writes, changes and deletes at random, one row or many at once."""

    def __init__(self, organization: Organization, seed: int) -> None:
        self.chance, self.organization = random.Random(seed), organization
        self.events = [EventFactory.create(organization=organization) for _ in range(2)]
        self.accounts = [AccountFactory.create(organization=organization) for _ in range(12)]
        self.people = [PersonFactory.create(account=self.chance.choice(self.accounts)) for _ in range(20)]
        for account in self.accounts[:9]:
            for event in self.chance.sample(self.events, self.chance.choice([1, 2])):
                TargetAccountFactory.create(account=account, event=event)

    def _moment(self) -> datetime | None:
        return self.chance.choice(
            [None, NOW - timedelta(days=self.chance.randrange(70), hours=self.chance.randrange(24))]
        )

    def _message(self) -> Message:
        person, sent = self.chance.choice(self.people), self._moment()
        later = lambda: self.chance.choice([None, sent])  # noqa: E731 - two words for one thing
        return Message(
            organization=self.organization, person=person, account_id=self.chance.choice([person.account_id, None]),
            event=self.chance.choice([*self.events, None]), subject="x", state="accepted" if sent else "draft",
            sent_at=sent, delivered_at=later(), opened_at=later(), replied_at=later(), bounced_at=later(),
        )  # fmt: skip

    def step(self) -> None:
        with org_scope(self.organization.pk):
            self.chance.choice([
                self._write, self._write, self._change_one, self._change_many, self._delete, self._move_person, self._meet,
                self._close, self._lose_account, self._target,
            ])()  # fmt: skip

    def _write(self) -> None:
        Message.objects.bulk_create(self._message() for _ in range(self.chance.randrange(1, 9)))

    def _some(self) -> Any:
        ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
        return Message.objects.filter(pk__in=self.chance.sample(ids, min(len(ids), self.chance.randrange(1, 6))))

    def _change_one(self) -> None:
        message = self._some().first()
        if message:
            message.replied_at, message.opened_at = self._moment(), self._moment()
            message.save()

    def _change_many(self) -> None:
        self._some().update(
            sent_at=NOW - timedelta(days=self.chance.randrange(60)), event=self.chance.choice([*self.events, None])
        )
        self._some().update(subject="y")

    def _delete(self) -> None:
        self._some().delete()

    def _move_person(self) -> None:
        Person.objects.filter(pk=self.chance.choice(self.people).pk).update(
            account=self.chance.choice([*self.accounts, None])
        )

    def _meet(self) -> None:
        start = NOW + timedelta(hours=self.chance.randrange(10_000))
        Meeting.objects.create(
            organization=self.organization, event=self.chance.choice(self.events), title="x", starts_at=start,
            account=self.chance.choice([*self.accounts, None]), ends_at=start + timedelta(minutes=30),
            status=self.chance.choice(["requested", "confirmed", "held", "no_show"]),
        )  # fmt: skip

    def _close(self) -> None:
        for meeting in Meeting.objects.order_by("?")[:3]:
            status = self.chance.choice(Meeting.Status.values)
            meeting.status, meeting.cancelled_at = status, NOW if status == "cancelled" else None
            meeting.save()

    def _target(self) -> None:
        account, event = self.chance.choice(self.accounts), self.chance.choice(self.events)
        found = TargetAccount.objects.filter(account=account, event=event)
        if found.exists():
            found.delete()
        else:
            TargetAccount.objects.create(organization=self.organization, account=account, event=event)

    def _lose_account(self) -> None:
        if len(self.accounts) > 9 and self.chance.random() < 0.3:
            lost: Account = self.accounts.pop()
            self.people = [person for person in self.people if person.account_id != lost.pk]
            Account.objects.get(pk=lost.pk).delete()
            self.people = list(Person.objects.filter(pk__in=[person.pk for person in self.people]))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sums_are_exact_after_anything(organization: Organization, seed: int) -> None:
    chaos = _Chaos(organization, seed)

    for number in range(40):
        chaos.step()
        if number % 7 == 3:
            folding.fold(batch=5)
        if number % 4 == 0:
            with org_scope(organization.pk):
                for event in (*chaos.events, None):
                    assert _computed(organization, event) == _reference(organization, event)
    folding.fold()
    folding.tidy()

    with org_scope(organization.pk):
        for event in (*chaos.events, None):
            assert _computed(organization, event) == _reference(organization, event)
        for model in (MessageTally, AccountTally, PeopleTally):
            assert not model.objects.filter(settled=False).exists()


def test_folding_leaves_one_row_per_key(organization: Organization, event: Event) -> None:
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    with org_scope(organization.pk):
        for _ in range(5):
            Message.objects.create(organization=organization, person=person, account=person.account, event=event)
        before = MessageTally.objects.count(), AccountTally.objects.count()

    folded = folding.fold(batch=3)

    with org_scope(organization.pk):
        assert before == (5, 5)
        assert folded == 11
        assert [t.messages for t in MessageTally.objects.all()] == [5]
        assert [t.messages for t in AccountTally.objects.all()] == [5]


def test_the_response_rate_is_of_what_was_sent(organization: Organization, event: Event) -> None:
    rate = metrics.Rate(sent=1_234, replied=234)

    assert rate.percent == 18.96


def test_drafts_are_no_base_of_the_rate(scope: None, organization: Organization, event: Event) -> None:
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    common: dict[str, Any] = {"organization": organization, "person": person, "event": event}
    Message.objects.create(**common, state="draft")
    Message.objects.create(**common, state="accepted", sent_at=NOW)
    Message.objects.create(**common, state="accepted", sent_at=NOW, replied_at=NOW)
    Message.objects.create(**common, state="accepted", sent_at=NOW - timedelta(days=31), replied_at=NOW)

    rate = metrics.compute(organization, event).rate

    assert (rate.sent, rate.replied, rate.percent) == (2, 1, 50.0)


def test_another_organization_counts_for_itself(organization: Organization, event: Event) -> None:
    theirs = EventFactory.create(organization=OrganizationFactory.create())
    target = TargetAccountFactory.create(account=AccountFactory.create(organization=theirs.organization), event=theirs)
    with system_scope():
        person = PersonFactory.create(account=target.account)
        Message.objects.create(organization=theirs.organization, person=person, account=target.account, event=theirs)

    with org_scope(organization.pk):
        mine = metrics.compute(organization, None)
        seen = metrics.compute(theirs.organization, None)

    assert (mine.accounts, mine.people, mine.outreach) == (0, 0, 0)
    assert (seen.accounts, seen.people, seen.outreach) == (0, 0, 0)


def test_what_does_not_count_writes_no_difference(organization: Organization, event: Event) -> None:
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    with org_scope(organization.pk):
        message = Message.objects.create(organization=organization, person=person, account=person.account, event=event)
        before = MessageTally.objects.count()

        Message.objects.filter(pk=message.pk).update(subject="New", state="held", reason="Waits")

        assert MessageTally.objects.count() == before
