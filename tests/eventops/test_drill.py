"""The drills, small: real Celery workers killed, stopped and cut off while they send, and a broker that forgets."""

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.product import own_database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def drill(*words: str) -> dict[str, object]:
    environment = os.environ | {"DATABASE_URL": own_database_url(), "EVENTOPS_DEMO": "1"}
    command = [sys.executable, "-W", "ignore", "manage.py", "drill", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(("adapter", "messages", "kills"), [("sendgrid", 500, 50), ("smtp", 150, 15)])
def test_no_mail_is_lost_or_sent_twice_though_workers_are_killed(adapter, messages, kills):
    result = drill("sends", "--adapter", adapter, "--messages", str(messages), "--kills", str(kills))

    assert (result["lost"], result["extra_accepts"], result["kills"]) == (0, 0, kills)
    assert result["accepted"] + sum(result["parked"].values()) == messages


def test_every_mail_leaves_once_though_the_broker_forgets_everything():
    result = drill("broker", "--messages", "150", "--times", "2")

    assert (result["lost"], result["extra_accepts"], result["losses"]) == (0, 0, 2)
