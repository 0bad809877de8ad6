"""What analytics puts onto the pages of others: the filter behind each step of the funnel, and figures of a show."""

from typing import Any

from accounts.filters import ExtraFilter, Rows, extra_filters
from accounts.models import Account
from analytics.links import link
from analytics.metrics import AGREED, STEPS, reached
from events.models import Event
from events.panels import Figure, register_figures
from meetings.models import Meeting

STEP_CHOICES = [(key, label.lower()) for key, label in STEPS if key != "targets"]
NOT_YET = [("not-contacted", "not contacted yet"), ("not-booked", "no meeting yet")]


def register() -> None:
    """Called once, when the app is ready."""
    if not any(extra.name == "reached" for extra in extra_filters["accounts"]):
        extra_filters["accounts"].append(
            ExtraFilter(name="reached", label="Reached", choices=[*STEP_CHOICES, *NOT_YET], apply=narrow)
        )
    register_figures(meeting_figures)


def narrow(rows: Rows, step: str, event: Event | None) -> Rows:
    """Accounts that came as far as ``step`` of the funnel, or (``not-…``) have not."""
    negated = step.startswith("not-")
    path = "pk" if rows.model is Account else "account_id"
    ids: Any = reached(event, step.removeprefix("not-"))
    condition = {f"{path}__in": ids}
    return rows.exclude(**condition) if negated else rows.filter(**condition)


def meeting_figures(event: Event) -> list[Figure]:
    """Meetings agreed and held, against the goal of the show."""
    meetings = Meeting.objects.for_org(event.organization_id).at(event)
    agreed = meetings.filter(status__in=AGREED).count()
    held = meetings.filter(status=Meeting.Status.HELD).count()
    return [
        Figure(
            label="Meetings agreed", value=agreed, goal=event.goal_meetings,
            href=link("meetings:list", status=list(AGREED)),
        ),
        Figure(label="Meetings held", value=held, href=link("meetings:list", status="held")),
    ]  # fmt: skip
