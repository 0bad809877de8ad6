"""The Celery application. Rows in Postgres are the record of all work; a message here only rings the bell."""

import os

from celery import Celery

from eventops.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventops.settings")

app = Celery("eventops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = SCHEDULE
