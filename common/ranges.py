"""Spans of time as the database compares them."""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import Func


class TsTzRange(Func):
    """A half-open span of time, so that one may begin as another ends."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()
