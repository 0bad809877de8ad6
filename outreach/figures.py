"""What mails have come to, counted by the database: per template, campaign, step, variant, or all together.

Opens and clicks of machines stand apart and are never a person's. A meeting counts for the last mail before it was booked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, FloatField, Q, QuerySet
from django.db.models.functions import Extract

from outreach.classifying import ReplyClass
from outreach.comparing import POSITIVE
from outreach.models import InboundMail, Message

COLUMNS = {
    "sent": "sent_at", "delivered": "delivered_at", "opened": "opened_at", "clicked": "clicked_at",
    "replied": "replied_at", "met": "met_at", "unsubscribed": "unsubscribed_at", "complained": "complained_at",
    "bounced": "bounced_at", "machine_opened": "machine_opened_at", "machine_clicked": "machine_clicked_at",
}  # fmt: skip
"""Every figure and the moment that counts for it."""


class Percentile(Aggregate):
    """The value below which a share of the rows lies, interpolated (``percentile_cont``)."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Any, *, share: float, filter: Q) -> None:  # noqa: A002 - named as in Django
        super().__init__(expression, share=share, filter=filter, output_field=FloatField())


def percentile(later: str, due: str, *, share: float, filter: Q) -> Percentile:  # noqa: A002 - named as in Django
    """Seconds from one moment to the other, at a share of the rows."""
    gap = ExpressionWrapper(F(later) - F(due), output_field=DurationField())
    return Percentile(Extract(gap, "epoch"), share=share, filter=filter)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counts of mails. ``classes`` counts answers by class; ``late`` and ``late_p95`` are seconds after the due time."""

    total: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    classes: dict[str, int] = field(default_factory=dict)
    late: float | None = None
    late_p95: float | None = None

    @property
    def positive(self) -> int:
        return sum(self.classes.get(label, 0) for label in POSITIVE)

    @property
    def answers(self) -> list[tuple[str, str, int]]:
        """``(class, words, how many)`` of every class that came, in the order of the inbox."""
        return [(label, words, self.classes[label]) for label, words in ReplyClass.choices if self.classes.get(label)]

    @property
    def late_words(self) -> str:
        return (
            "–" if self.late is None or self.late_p95 is None else f"{in_words(self.late)} / {in_words(self.late_p95)}"
        )


def together(parts: Iterable[Figures]) -> Figures:
    """The counts of all parts; how late they were together cannot be told from them."""
    total, counts, classes = 0, Counter[str](dict.fromkeys(COLUMNS, 0)), Counter[str]()
    for part in parts:
        total += part.total
        counts.update(part.counts)
        classes.update(part.classes)
    return Figures(total=total, counts=dict(counts), classes=dict(classes))


def in_words(seconds: float) -> str:
    """``12 s``, ``3 min`` or ``2.5 h``."""
    seconds = max(0.0, seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def figures_by(messages: QuerySet[Message], *by: str) -> dict[tuple[Any, ...], Figures]:
    """The figures of these mails by the columns ``by``, in two statements. Works inside the scope."""
    sent = Q(sent_at__isnull=False, due_at__isnull=False)
    rows = messages.order_by().values(*by) if by else messages.order_by().values("organization")
    counted = rows.annotate(
        total=Count("pk"), late=percentile("sent_at", "due_at", share=0.5, filter=sent),
        late_p95=percentile("sent_at", "due_at", share=0.95, filter=sent),
        **{name: Count("pk", filter=Q(**{f"{column}__isnull": False})) for name, column in COLUMNS.items()},
    )  # fmt: skip
    classes = _classes(messages, by)
    return {
        key: Figures(
            total=row["total"], counts={name: row[name] for name in COLUMNS}, classes=classes[key], late=row["late"],
            late_p95=row["late_p95"],
        )
        for row in list[Any](counted)
        for key in [tuple(row[name] for name in by)]
    }  # fmt: skip


def figures_for(messages: QuerySet[Message]) -> Figures:
    """All of them together. Works inside the scope."""
    return figures_by(messages).get((), Figures())


def _classes(messages: QuerySet[Message], by: tuple[str, ...]) -> defaultdict[tuple[Any, ...], dict[str, int]]:
    """Answers by class: each mail once, however often somebody answered it in the same way."""
    kinds = [InboundMail.Kind.REPLY, InboundMail.Kind.OPT_OUT]
    mails = InboundMail.objects.filter(message__in=messages.order_by().values("pk"), kind__in=kinds).order_by()
    rows = mails.values(*(f"message__{name}" for name in by), "label").annotate(number=Count("message", distinct=True))
    found: defaultdict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in list[Any](rows):
        found[tuple(row[f"message__{name}"] for name in by)][row["label"]] = row["number"]
    return found
