from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from identity.history import recent_changes
from identity.models import ApiToken, Membership, Organization, Role, User
from identity.scope import org_scope, system_scope
from identity.services import members
from tests.factories import MembershipFactory


def membership_of(user: User) -> Membership:
    with system_scope():
        return Membership.objects.select_related("user").get(user=user)


def test_an_admin_changes_a_role_and_it_is_written_down(
    organization: Organization, admin_member: User, rep: User, client_for: Callable[[User], Client]
) -> None:
    address = reverse("identity:change_role", args=[membership_of(rep).pk])

    answer = client_for(admin_member).post(address, {"role": "manager"})

    with org_scope(organization.pk):
        [change] = recent_changes(Membership, organization)
    assert (answer.status_code, membership_of(rep).role) == (302, Role.MANAGER)
    assert (change.by, [(f.label, f.before, f.after) for f in change.fields]) == (
        admin_member,
        [("Role", "Rep", "Manager")],
    )


def test_only_an_owner_makes_or_changes_an_owner(
    organization: Organization, owner: User, admin_member: User, rep: User
) -> None:
    boss, admin, seller = membership_of(owner), membership_of(admin_member), membership_of(rep)

    with org_scope(organization.pk):
        with pytest.raises(members.NotAllowed):
            members.change_role(seller, role=Role.OWNER, actor=admin)
        with pytest.raises(members.NotAllowed):
            members.change_role(boss, role=Role.REP, actor=admin)
        with pytest.raises(members.NotAllowed):
            members.deactivate(boss, actor=admin)
        members.change_role(seller, role=Role.OWNER, actor=boss)

    assert membership_of(rep).role == Role.OWNER


def test_the_last_owner_stays(organization: Organization, owner: User) -> None:
    boss = membership_of(owner)

    with org_scope(organization.pk), pytest.raises(members.LastOwner):
        members.change_role(boss, role=Role.ADMIN, actor=boss)

    assert membership_of(owner).role == Role.OWNER


def test_an_owner_who_is_deactivated_does_not_count(organization: Organization, owner: User) -> None:
    other = MembershipFactory.create(organization=organization, role=Role.OWNER, user__is_active=False)
    boss = membership_of(owner)

    with org_scope(organization.pk), pytest.raises(members.LastOwner):
        members.change_role(boss, role=Role.ADMIN, actor=boss)

    assert other.role == Role.OWNER


def test_deactivating_a_member_stops_sessions_and_tokens_at_once(
    organization: Organization, owner: User, rep: User, client_for: Callable[[User], Client]
) -> None:
    browser = client_for(rep)
    before = browser.get(reverse("identity:settings")).status_code
    with system_scope():
        ApiToken.objects.create(
            organization=organization, user=rep, name="x", prefix="x", token_hash="x", scopes=["read"]
        )

    client_for(owner).post(reverse("identity:deactivate", args=[membership_of(rep).pk]))

    after = browser.get(reverse("identity:settings"))
    with system_scope():
        live = ApiToken.objects.unrevoked().count()
    assert (before, after.status_code, after["Location"], live) == (200, 302, reverse("identity:choose"), 0)


def test_a_deactivated_person_is_logged_out_at_once(rep: User, client_for: Callable[[User], Client]) -> None:
    browser = client_for(rep)
    before = browser.get(reverse("identity:settings")).status_code

    User.objects.filter(pk=rep.pk).update(is_active=False)

    after = browser.get(reverse("identity:settings"))
    assert (before, after.status_code, after["Location"]) == (200, 302, "/login/?next=/settings/")


def test_nobody_deactivates_themselves(organization: Organization, owner: User) -> None:
    MembershipFactory.create(organization=organization, role=Role.OWNER)
    boss = membership_of(owner)

    with org_scope(organization.pk), pytest.raises(members.NotAllowed):
        members.deactivate(boss, actor=boss)


def test_the_list_asks_the_same_number_of_questions_for_three_members(
    organization: Organization,
    owner: User,
    client_for: Callable[[User], Client],
) -> None:
    browser = client_for(owner)
    browser.get(reverse("identity:members"))
    with CaptureQueriesContext(connection) as one:
        browser.get(reverse("identity:members"))
    MembershipFactory.create(organization=organization)
    MembershipFactory.create(organization=organization)

    with CaptureQueriesContext(connection) as three:
        browser.get(reverse("identity:members"))

    assert len(three) == len(one)
