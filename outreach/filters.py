"""What the list of messages can be filtered by."""

from __future__ import annotations

from datetime import UTC, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from common.ids import read_uuid
from events.models import Event
from identity.models import Organization, User
from outreach.classifying import ReplyClass
from outreach.comparison_models import LETTERS
from outreach.models import Campaign, InboundMail, Message

State = Message.State
SHOWN = {
    "draft": ("Drafts", Q(state__in=[State.DRAFT, State.PLANNED])),
    "waiting": ("Waiting to leave", Q(state__in=[State.QUEUED, State.SENDING])),
    "sent": ("Sent", Q(sent_at__isnull=False)),
    "opened": ("Opened", Q(opened_at__isnull=False)),
    "clicked": ("Clicked", Q(clicked_at__isnull=False)),
    "replied": ("Answered", Q(replied_at__isnull=False)),
    "delivered": ("Delivered", Q(delivered_at__isnull=False)),
    "met": ("Brought a meeting", Q(met_at__isnull=False)),
    "unsubscribed": ("Unsubscribed", Q(unsubscribed_at__isnull=False)),
    "bounced": ("Bounced", Q(bounced_at__isnull=False)),
    "decide": ("Needs a decision", Q(state__in=[State.UNKNOWN, State.HELD])),
    "left_out": ("Left out", Q(state__in=[State.SKIPPED, State.REJECTED, State.CANCELLED])),
}


ABOUT = {
    "template": ("template_id", "One template"),
    "sequence": ("sequence_id", "One sequence"),
    "step": ("step_id", "One step"),
    "comparison": ("comparison_id", "One comparison"),
}
"""What a list of messages may be about, by its name in the address: the column, and the words."""


class MessageFilter:
    """The query string of the list, understood; what makes no sense in it is left out."""

    def __init__(self, query: QueryDict, *, organization: Organization, user: User, event: Event | None) -> None:
        self.organization, self.user, self.event = organization, user, event
        self.everything = event is None or query.get("all") == "1"
        self.show = query.get("show", "") if query.get("show", "") in SHOWN else ""
        self.status = query.get("status", "") if query.get("status", "") in Message.Status.values else ""
        self.days = self._days(query.get("days", ""))
        self.mine = query.get("owner") == "me"
        self.campaign = self._campaign(query.get("campaign", ""))
        self.about = {name: found for name in ABOUT if (found := read_uuid(query.get(name, "")))}
        self.variant = query.get("variant", "") if query.get("variant", "") in set(LETTERS) else ""
        self.q = query.get("q", "").replace("\x00", "").strip()[:200]

    def _days(self, value: str) -> int:
        """Only what was sent in so many UTC days, today included; 0 for any time."""
        return min(int(value), 3_660) if value.isascii() and value.isdigit() else 0

    def _campaign(self, value: str) -> Campaign | None:
        try:
            return Campaign.objects.for_org(self.organization).filter(pk=UUID(value)).first()
        except ValueError:
            return None

    def rows(self) -> QuerySet[Message]:
        rows = Message.objects.for_org(self.organization)
        if self.campaign:
            rows = rows.filter(campaign=self.campaign)
        elif self.event and not self.everything:
            rows = rows.at(self.event)
        rows = rows.filter(**{ABOUT[name][0]: found for name, found in self.about.items()})
        if self.variant:
            rows = rows.filter(variant=self.variant)
        if self.show:
            rows = rows.filter(SHOWN[self.show][1])
        if self.status:
            rows = rows.filter(status=self.status)
        if self.days:
            midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            rows = rows.filter(sent_at__gte=midnight - timedelta(days=self.days - 1))
        if self.mine:
            rows = rows.filter(owner=self.user)
        if self.q:
            rows = rows.filter(
                Q(person__name_norm__contains=self.q.lower())
                | Q(subject__icontains=self.q)
                | Q(to_address__icontains=self.q)
            )
        return rows

    def chips_about(self) -> list[tuple[str, str, str]]:
        """``(name, value, words)`` of what the list is about."""
        chips = [(name, str(found), ABOUT[name][1]) for name, found in self.about.items()]
        return [*chips, ("variant", self.variant, f"Wording {self.variant}")] if self.variant else chips

    @property
    def status_label(self) -> str:
        return Message.Status(self.status).label if self.status else ""

    @property
    def is_narrow(self) -> bool:
        return bool(
            self.show or self.status or self.days or self.mine or self.campaign or self.about or self.variant or self.q
        )


Kind = InboundMail.Kind
CLASSES = {
    "": ("From people", Q(kind__in=[Kind.REPLY, Kind.OPT_OUT, Kind.UNMATCHED])),
    "interested": ("Interested", Q(label=ReplyClass.INTERESTED)),
    "question": ("Question", Q(label=ReplyClass.QUESTION)),
    "referral": ("Referral", Q(label=ReplyClass.REFERRAL)),
    "not_now": ("Not now", Q(label=ReplyClass.NOT_NOW)),
    "opt_out": ("Asks to stop", Q(label=ReplyClass.OPT_OUT)),
    "other": ("Other", Q(label=ReplyClass.OTHER)),
    "unmatched": ("Not matched", Q(kind__in=[Kind.UNMATCHED, Kind.OWN])),
    "out_of_office": ("Out of the office", Q(label=ReplyClass.OUT_OF_OFFICE)),
    "bounce": ("Not delivered", Q(label__in=[ReplyClass.BOUNCE_HARD, ReplyClass.BOUNCE_SOFT])),
    "automatic": ("Automatic", Q(label__in=[ReplyClass.AUTO_REPLY, ReplyClass.RECEIPT])),
}
WHOSE = {"": "Everybody’s", "mine": "Mine", "nobody": "Nobody’s"}
WHEN = {"": "Open", "snoozed": "Snoozed", "done": "Done"}


class ReplyFilter:
    """The query string of the reply inbox, understood; what makes no sense in it is left out."""

    def __init__(self, query: QueryDict, *, organization: Organization, user: User) -> None:
        self.organization, self.user = organization, user
        self.label = query.get("class", "") if query.get("class", "") in CLASSES else ""
        self.whose = query.get("whose", "") if query.get("whose", "") in WHOSE else ""
        self.state = query.get("state", "") if query.get("state", "") in WHEN else ""

    def _every_class(self) -> QuerySet[InboundMail]:
        rows, now = InboundMail.objects.for_org(self.organization).filter(sorted_at__isnull=False), timezone.now()
        if self.whose:
            rows = rows.filter(assignee=self.user if self.whose == "mine" else None)
        if self.state == "done":
            return rows.filter(handled_at__isnull=False)
        if self.state == "snoozed":
            return rows.open().filter(snoozed_until__gt=now)
        return rows.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))

    def rows(self) -> QuerySet[InboundMail]:
        return self._every_class().filter(CLASSES[self.label][1])

    def tabs(self) -> list[tuple[str, str, int]]:
        """``(key, words, how many)`` of every class that has mails here, the chosen one and the first always."""
        named = {key or "people": Count("id", filter=condition) for key, (_, condition) in CLASSES.items()}
        counts = self._every_class().aggregate(**named)
        tabs = [(key, words, counts[key or "people"]) for key, (words, _) in CLASSES.items()]
        return [tab for tab in tabs if tab[2] or tab[0] in {"", self.label}]

    def query(self, **changes: str) -> str:
        """The query string of this filter with ``changes``."""
        parts = {"class": self.label, "whose": self.whose, "state": self.state} | changes
        return urlencode({name: value for name, value in parts.items() if value})
