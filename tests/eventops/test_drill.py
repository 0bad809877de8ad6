"""The small drill: real Celery workers killed while they send, stopped, cut off from Postgres, their broker emptied."""

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.product import own_database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("adapter", "messages", "kills"), [("sendgrid", 500, 50), ("smtp", 150, 15)])
def test_no_mail_is_lost_or_sent_twice_though_workers_are_killed(adapter, messages, kills):
    environment = os.environ | {"DATABASE_URL": own_database_url(), "EVENTOPS_DEMO": "1"}
    size = ["--adapter", adapter, "--messages", str(messages), "--kills", str(kills)]
    command = [sys.executable, "-W", "ignore", "manage.py", "drill", "sends", *size]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)

    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert (result["lost"], result["extra_accepts"], result["kills"]) == (0, 0, kills), done.stderr[-3000:]
    assert result["accepted"] + sum(result["parked"].values()) == messages
