"""A message of the broker may come twice, or three times at once: every task must end as if it had run once (G-4)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection

from eventops.celery import app
from sandbox.server import RunningSandbox
from tests.eventops.prepared import Prepared, picture, prepare

Arguments = Callable[[Prepared], Iterable[object]]


def nothing(_: Prepared) -> Iterable[object]:
    return ()


ARGUMENTS: dict[str, Arguments] = {
    "accounts.bulk": lambda p: (p.job_id, p.organization_id),
    "accounts.sweep": nothing,
    "analytics.fold": nothing,
    "analytics.tidy": nothing,
    "identity.send_invitation": lambda p: (p.invitation_id,),
    "identity.sweep": nothing,
    "meetings.send_invitation": lambda p: (p.meeting_invitation_id,),
    "meetings.send_waiting_invitations": nothing,
    "outreach.check_domain": lambda p: (p.organization_id, p.domain_id),
    "outreach.check_domains": nothing,
    "outreach.compare": nothing,
    "outreach.connect_mailbox": lambda p: (p.organization_id, p.new_mailbox_id),
    "outreach.copy_templates": lambda p: (p.organization_id,),
    "outreach.judge_health": nothing,
    "outreach.process_reports": lambda p: (p.organization_id,),
    "outreach.send_due": nothing,
    "outreach.send_test": lambda p: (p.organization_id, p.mailbox_id, p.user_id),
    "outreach.send_trial": lambda p: (p.organization_id, p.template_id, p.mailbox_id, p.person_id, "", p.user_id),
    "outreach.sort_mail": lambda p: (p.organization_id, p.mail_id),
    "outreach.sweep": nothing,
    "outreach.write_drafts": lambda p: (p.organization_id, p.campaign_id),
    "people.ask_mail_domains": nothing,
    "people.sweep_imports": nothing,
    "people.work_on_import": lambda p: (p.import_id,),
    "research.score": lambda p: (p.run_id, p.organization_id),
    "research.sweep": nothing,
    "sequences.apply_rules": nothing,
    "sequences.run": nothing,
}
"""What every task is called with. A task that is missing here fails the test: say how it is prepared."""
WITHOUT_TRACE = {"analytics.fold", "analytics.tidy", "outreach.compare", "outreach.judge_health"}
"""Tasks that change no row that is compared: sums of figures stay, nothing in a fresh organization is old, or compared."""


@pytest.fixture
def eager(settings):
    """A bell rung by a task is answered at once, in the same thread."""
    usual = app.conf.task_always_eager
    yield lambda on: app.conf.update(task_always_eager=on)
    app.conf.update(task_always_eager=usual)


def ours() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith(("celery.", "tests."))}


def test_every_task_is_prepared():
    assert ours() == set(ARGUMENTS)


@pytest.mark.django_db(transaction=True)
def test_three_runs_at_once_end_like_one(sandbox, eager):
    ours()
    wrong: dict[str, object] = {}
    for number, name in enumerate(sorted(ARGUMENTS)):
        ends = []
        for times in (1, 3):
            prepared = prepare(f"zq{number}x{times}zq")
            before = picture(prepared)
            eager(True)
            run_at_once(name, ARGUMENTS[name](prepared), times)
            eager(False)
            ends.append(picture(prepared) + mails_of(prepared, sandbox))
            if ends[-1] == before and name not in WITHOUT_TRACE:
                wrong[f"{name} does nothing"] = times
        if ends[0] != ends[1]:
            wrong[name] = {"only once": ends[0] - ends[1], "only thrice": ends[1] - ends[0]}

    assert wrong == {}


def mails_of(prepared: Prepared, sandbox: RunningSandbox) -> Counter[str]:
    """How many mails left for its people and members."""
    recipients = [mail.to for mail in sandbox.world.mails.values()] + [to for one in mail.outbox for to in one.to]
    return Counter("mail" for recipient in recipients if prepared.tag in recipient)


def run_at_once(name: str, arguments: Iterable[object], times: int) -> None:
    task, together = app.tasks[name], threading.Barrier(times, timeout=30)
    words = [str(argument) for argument in arguments]

    def run() -> None:
        together.wait()
        try:
            task.apply(args=words, throw=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        for running in [threads.submit(run) for _ in range(times)]:
            running.result()
