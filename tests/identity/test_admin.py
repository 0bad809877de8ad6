"""The admin: who gets in, and whose rows it shows."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from common.tenancy import is_tenant_model
from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope
from tests.factories import AccountFactory, MembershipFactory, UserFactory
from tests.tenancy.rows import fill, history_models

OURS = sorted((m for m in admin.site._registry if is_tenant_model(m)), key=lambda m: m._meta.label)


@pytest.fixture
def superuser(db: None) -> User:
    return UserFactory.create(email="root@example.com", is_staff=True, is_superuser=True)


def test_every_tenant_model_is_in_the_admin() -> None:
    missing = {
        m._meta.label
        for m in apps.get_models()
        if is_tenant_model(m) and m not in history_models() and m not in admin.site._registry
        if not isinstance(m._meta.pk, models.CompositePrimaryKey)
    }

    assert missing == set()


def test_the_admin_log_in_is_the_products_own(client: Client, db: None) -> None:
    answer = client.get("/admin/login/?next=/admin/")

    assert (answer.status_code, answer["Location"].startswith("/login/")) == (302, True)


@pytest.mark.parametrize("staff", [False, True])
def test_members_who_are_not_staff_stay_outside(client_for: Callable[[User], Client], owner: User, staff: bool) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=staff)

    answer = client_for(owner).get("/admin/")

    assert answer.status_code == (200 if staff else 302)


def test_staff_who_are_only_reps_stay_outside(client_for: Callable[[User], Client], rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_staff=True)

    assert client_for(rep).get("/admin/").status_code == 302


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_every_list_and_page_opens_for_a_superuser(
    client_for: Callable[[User], Client], superuser: User, organization: Organization, model: type
) -> None:
    made = fill(organization)
    browser = client_for(superuser)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    listed = browser.get(reverse(f"{name}_changelist"))
    searched = browser.get(reverse(f"{name}_changelist"), {"q": "x"})
    opened = browser.get(reverse(f"{name}_change", args=[made[model].pk]))

    assert [answer.status_code for answer in (listed, searched, opened)] == [200, 200, 200]
    assert listed.context["cl"].result_count >= 1


def test_staff_of_one_organization_see_only_its_rows(
    client_for: Callable[[User], Client], organization: Organization
) -> None:
    from django.contrib.auth.models import Permission

    AccountFactory.create(organization=organization, name="Ours")
    foreign = AccountFactory.create(name="Theirs")
    staff = MembershipFactory.create(organization=organization, role=Role.ADMIN, user__is_staff=True).user
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_account", "change_account", "view_user"]))
    browser = client_for(staff)

    page = browser.get(reverse("admin:accounts_account_changelist")).content
    people = browser.get(reverse("admin:identity_user_changelist"))
    stranger = browser.get(reverse("admin:accounts_account_change", args=[foreign.pk]))

    assert (b"Ours" in page, b"Theirs" in page, stranger.status_code) == (True, False, 302)
    assert list(people.context["cl"].result_list) == [staff]


def test_a_superuser_deactivates_a_person(client_for: Callable[[User], Client], superuser: User, rep: User) -> None:
    browser = client_for(rep)
    before = browser.get("/settings/").status_code
    form = {"name": "Rep", "time_zone": "UTC", "is_staff": ""}

    client_for(superuser).post(reverse("admin:identity_user_change", args=[rep.pk]), form)

    assert (before, browser.get("/settings/").status_code) == (200, 302)


def test_no_secret_hash_stands_on_a_page(
    client_for: Callable[[User], Client], superuser: User, organization: Organization
) -> None:
    made = fill(organization)
    browser = client_for(superuser)

    for model, row in made.items():
        if hasattr(row, "token_hash"):
            page = browser.get(reverse(f"admin:identity_{model._meta.model_name}_change", args=[row.pk])).content
            assert row.token_hash.encode() not in page
    with system_scope():
        assert Membership.objects.exists()
