"""Wordings compared with each other: which there are, how a winner is found, and what was decided."""

from __future__ import annotations

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from common.models import TenantForeignKey, TenantModel
from identity.models import User
from outreach.template_models import Template

LETTERS = "ABCD"


@pghistory.track(pghistory.UpdateEvent(row="OLD"), pghistory.DeleteEvent(), exclude=["updated_at"])
class Comparison(TenantModel):
    """Two to four templates of which each person gets one, and the rule that names the best (``outreach.judging``).

    ``looks`` counts how often the rule was asked; ``winner`` is the letter everybody gets from ``decided_at`` on.
    ``decided_by`` is the member who chose it, nobody when the rule did; ``decision`` keeps the numbers of that moment.
    """

    class Metric(models.TextChoices):
        POSITIVE = "positive", "Positive answers"
        REPLIES = "replies", "Answers of any kind"
        CLICKS = "clicks", "Clicks of people"
        MEETINGS = "meetings", "Meetings"

    class Certainty(models.IntegerChoices):
        LEAD = 0, "The lead alone decides"
        FAIR = 80, "80 %: one such decision in 5 may be chance"
        GOOD = 90, "90 %: one in 10 may be chance"
        HIGH = 95, "95 %: one in 20 may be chance"

    metric = models.CharField("what counts", max_length=8, choices=Metric, default=Metric.POSITIVE)
    least_sends = models.PositiveIntegerField(
        "mails of each at least", default=40, validators=[MinValueValidator(10), MaxValueValidator(100_000)]
    )
    wait_hours = models.PositiveSmallIntegerField(
        "hours a mail waits before it counts", default=72, validators=[MaxValueValidator(720)]
    )
    least_lead = models.PositiveSmallIntegerField(
        "ahead by at least", default=3, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    certainty = models.PositiveSmallIntegerField("how certain", choices=Certainty, default=Certainty.GOOD)
    looks = models.PositiveSmallIntegerField(default=0, editable=False)
    winner = models.CharField(max_length=1, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decision = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(winner="", decided_at=None) | (~Q(winner="") & Q(decided_at__isnull=False)),
                name="comparison_winner_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(metric__in=["positive", "replies", "clicks", "meetings"], certainty__in=[0, 80, 90, 95]),
                name="comparison_rule_known",
            ),
        ]
        indexes = [models.Index(fields=["organization", "created_at"], condition=Q(winner=""), name="comparison_open")]

    def __str__(self) -> str:
        return f"comparison by {self.get_metric_display().lower()}"


class Variant(TenantModel):
    """One wording of a comparison, and the share of people who get it: ``weight`` of the sum of weights."""

    comparison = TenantForeignKey(Comparison, on_delete=models.CASCADE, related_name="variants", db_index=False)
    letter = models.CharField(max_length=1, choices=[(letter, letter) for letter in LETTERS])
    template = TenantForeignKey(Template, on_delete=models.RESTRICT, related_name="+")
    weight = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["letter"]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "letter"], name="variant_letter_once"),
            models.UniqueConstraint(fields=["comparison", "template"], name="variant_template_once"),
            models.CheckConstraint(
                condition=Q(letter__in=list(LETTERS), weight__gte=1, weight__lte=100), name="variant_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}: {self.template}"
