import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import bulk
from accounts.models import Account, BulkJob, TargetAccount
from activities.models import Activity
from identity.scope import org_scope, system_scope
from people.models import Person
from tests.factories import AccountFactory, PersonFactory, TargetAccountFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def targets(organization, event):
    TargetAccountFactory.create(account__name="Foreign", tier="A")
    return [
        TargetAccountFactory.create(
            account__organization=organization, account__name=f"Company {n}", event=event, tier="A" if n < 4 else "B"
        )
        for n in range(6)
    ]


def start(client, url="accounts:bulk", **form):
    response = client.post(reverse(url), {"sure": "1", **form})
    assert response.status_code == 302, response.text[-2000:]
    with system_scope():
        job = BulkJob.objects.latest("created_at")
    bulk.run(job.pk, job.organization_id)
    with system_scope():
        job.refresh_from_db()
    return job


def tiers(organization):
    with org_scope(organization.pk):
        return Counter(TargetAccount.objects.values_list("tier", flat=True))


def test_before_anything_happens_the_exact_count_is_shown(client_for, rep, organization, targets):
    form = {"action": "set_tier", "all": "1", "query": "tier=A"}

    response = client_for(rep).post(reverse("accounts:bulk"), form, headers=HTMX)

    assert response.status_code == 200
    assert "<strong>4 accounts</strong>: everything in this filter" in response.text
    assert "Set tier: 4 accounts" in response.text
    assert tiers(organization) == {"A": 4, "B": 2}


def test_the_whole_filter_is_changed_even_when_rows_leave_it_on_the_way(
    client_for, rep, organization, targets, monkeypatch
):
    monkeypatch.setattr(bulk, "CHUNK", 3)

    job = start(client_for(rep), action="set_tier", all="1", query="tier=A&sort=name", value="C")

    assert (job.status, job.total, job.done, job.changed) == ("done", 4, 4, 4)
    assert tiers(organization) == {"C": 4, "B": 2}
    with org_scope(organization.pk):
        assert Activity.objects.filter(kind="ACCOUNT_UPDATED", summary="Tier is now C", actor=rep).count() == 4


def test_only_the_ticked_rows_of_ones_own_organization_are_changed(client_for, rep, organization, targets):
    with system_scope():
        foreign = TargetAccount.objects.get(account__name="Foreign")

    job = start(
        client_for(rep), action="set_status", id=[str(targets[0].account_id), str(foreign.account_id)], value="WON"
    )

    assert (job.done, job.changed) == (1, 1)
    with system_scope():
        assert [t.account.name for t in TargetAccount.objects.filter(status="WON")] == ["Company 0"]


def test_a_worker_that_dies_between_chunks_loses_and_repeats_nothing(
    client_for, rep, organization, targets, monkeypatch
):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    client_for(rep).post(
        reverse("accounts:bulk"), {"sure": "1", "action": "set_tier", "all": "1", "query": "", "value": "D"}
    )
    with system_scope():
        job = BulkJob.objects.get()

    assert bulk._claim(job.pk, organization.pk)
    assert bulk._step(job.pk, organization.pk)
    bulk.run(job.pk, organization.pk)
    with system_scope():
        held = BulkJob.objects.get()
        assert (held.status, held.done) == ("running", 2)
        BulkJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert bulk.sweep() == [(job.pk, organization.pk)]
    bulk.run(job.pk, organization.pk)

    with org_scope(organization.pk):
        job.refresh_from_db()
        told = Activity.objects.filter(summary="Tier is now D").count()
    assert (job.status, job.done, job.changed, told) == ("done", 6, 6, 6)


def test_an_action_that_keeps_failing_is_stopped_and_says_so(client_for, rep, organization, targets, monkeypatch):
    action = bulk.find_action("accounts", "set_tier")

    def broken(batch):
        raise RuntimeError("no")

    monkeypatch.setitem(bulk._actions, ("accounts", "set_tier"), replace(action, apply=broken))
    client_for(rep).post(reverse("accounts:bulk"), {"sure": "1", "action": "set_tier", "all": "1", "value": "D"})
    with system_scope():
        job = BulkJob.objects.get()

    for _ in range(bulk.MOST_ATTEMPTS):
        with pytest.raises(RuntimeError):
            bulk.run(job.pk, organization.pk)

    with system_scope():
        job.refresh_from_db()
    page = client_for(rep).get(reverse("accounts:job", args=[job.pk]))
    assert job.status == "failed"
    assert "It failed several times and was stopped." in page.text


def test_assigning_tagging_and_deleting_people(client_for, manager, rep, organization, targets):
    ada, bo = (PersonFactory.create(account=targets[0].account, name=name) for name in ("Ada", "Bo"))
    client, both = client_for(manager), [str(ada.pk), str(bo.pk)]

    assigned = start(client, "people:bulk", action="assign", id=both, owner=str(rep.pk))
    again = start(client, "people:bulk", action="assign", id=both, owner=str(rep.pk))
    tagged = start(client, "people:bulk", action="add_tag", id=both, tag=" VIP ")
    untagged = start(client, "people:bulk", action="remove_tag", id=[str(bo.pk)], tag="vip")
    deleted = start(client, "people:bulk", action="delete", id=[str(bo.pk)])

    with org_scope(organization.pk):
        left = [(p.name, p.owner, [t.name for t in p.tags.all()]) for p in Person.objects.all()]
        told = list(Activity.objects.filter(kind="PERSON_DELETED").values_list("summary", flat=True))
    assert [job.changed for job in (assigned, again, tagged, untagged, deleted)] == [2, 0, 2, 1, 1]
    assert left == [("Ada", rep, ["VIP"])]
    assert told == ["Bo was deleted"]


def test_targeting_and_taking_off_accounts(client_for, rep, organization, event, targets):
    other = AccountFactory.create(organization=organization, name="Newcomer")

    start(client_for(rep), action="target", id=[str(other.pk)], query="all=1")
    with org_scope(organization.pk):
        assert TargetAccount.objects.filter(account=other, event=event).count() == 1
    start(client_for(rep), action="untarget", id=[str(other.pk)])

    with org_scope(organization.pk):
        assert not TargetAccount.objects.filter(account=other).exists()
        assert Account.objects.filter(pk=other.pk).exists()


def test_on_the_list_of_all_accounts_the_account_itself_is_assigned(client_for, rep, organization, targets):
    start(client_for(rep), action="assign", id=[str(targets[0].account_id)], query="all=1", owner=str(rep.pk))

    with org_scope(organization.pk):
        target = TargetAccount.objects.select_related("account").get(pk=targets[0].pk)
    assert (target.account.owner_id, target.owner_id) == (rep.pk, None)


def test_deleting_many_needs_a_manager(client_for, rep, organization, targets):
    response = client_for(rep).post(reverse("accounts:bulk"), {"sure": "1", "action": "delete", "all": "1"})

    assert response.status_code == 403


def test_nothing_selected_and_missing_values_are_answered_kindly(client_for, rep, organization, targets):
    client = client_for(rep)

    nothing = client.post(reverse("accounts:bulk"), {"action": "assign"}, headers=HTMX)
    no_tag = client.post(
        reverse("accounts:bulk"), {"action": "add_tag", "all": "1", "sure": "1", "tag": ""}, headers=HTMX
    )
    unknown = client.post(reverse("accounts:bulk"), {"action": "explode", "all": "1"}, headers=HTMX)

    assert (nothing.status_code, no_tag.status_code, unknown.status_code) == (422, 422, 404)
    assert "Tick the accounts you mean first." in nothing.text


def test_a_job_can_be_stopped_and_its_page_stops_asking(client_for, rep, organization, targets):
    client = client_for(rep)
    client.post(reverse("accounts:bulk"), {"sure": "1", "action": "set_tier", "all": "1", "value": "D"})
    with system_scope():
        job = BulkJob.objects.get()
    waiting = client.get(reverse("accounts:job", args=[job.pk]), headers=HTMX)

    client.post(reverse("accounts:cancel", args=[job.pk]))
    bulk.run(job.pk, organization.pk)
    stopped = client.get(reverse("accounts:job", args=[job.pk]), headers=HTMX)

    assert re.search(r'hx-trigger="every 1s"', waiting.text)
    assert "hx-trigger" not in stopped.text
    assert tiers(organization) == {"A": 4, "B": 2}
