import hashlib
from collections.abc import Iterable

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.utils import timezone

from accounts.models import Account, TargetAccount
from activities.models import Activity
from eventops import demo
from events.models import Event
from identity.models import Membership, User
from identity.scope import system_scope
from meetings.models import Meeting
from outreach.models import InboundMail, Message
from people.models import Person
from sequences.models import Sequence

pytestmark = pytest.mark.django_db


def _contents() -> str:
    """A digest of every row of every tenant table."""
    digest = hashlib.sha256()
    with system_scope():
        for model in _tenant_models():
            for row in model._default_manager.order_by("pk").values_list():
                digest.update(repr((model._meta.label, row)).encode())
    return digest.hexdigest()


def _tenant_models() -> Iterable[type[models.Model]]:
    return [model for model in apps.get_models() if any(field.name == "organization" for field in model._meta.fields)]


def test_the_demo_fills_a_show() -> None:
    call_command("seed_demo", "--demo")

    with system_scope():
        assert Event.objects.count() == 2
        assert Account.objects.count() == 310
        assert 850 <= Person.objects.count() <= 1_000
        assert TargetAccount.objects.filter(tier="A").count() > 20
        assert set(TargetAccount.objects.values_list("status", flat=True)) >= set(TargetAccount.Status)
        assert set(TargetAccount.objects.values_list("stage", flat=True)) == set(TargetAccount.Stage)
        assert set(Meeting.objects.values_list("status", flat=True)) == set(Meeting.Status)
        assert set(Message.objects.values_list("status", flat=True)) == set(Message.Status)
        assert Message.objects.filter(sent_at__gt=timezone.now()).count() == 0
        assert Activity.objects.filter(occurred_at__gt=timezone.now()).count() == 0
        assert InboundMail.objects.filter(handled_at=None).exists()
        assert Sequence.objects.count() == 2


def test_a_second_run_changes_nothing() -> None:
    call_command("seed_demo", "--demo")
    before = _contents()

    call_command("seed_demo", "--demo")

    assert _contents() == before


def test_without_the_word_demo_the_password_is_random_and_printed_once(
    capsys: pytest.CaptureFixture[str], settings: object
) -> None:
    call_command("seed_demo")
    first = capsys.readouterr().out
    call_command("seed_demo")
    second = capsys.readouterr().out

    with system_scope():
        admin = User.objects.get(email=demo.ADMIN)
        others = User.objects.exclude(email=demo.ADMIN)
        assert admin.check_password(first.splitlines()[0].rpartition(" ")[2])
        assert not admin.check_password(demo.KNOWN_PASSWORD)
        assert not any(user.has_usable_password() for user in others)
    assert "password" not in second


def test_starting_afresh_brings_the_same_demo_back() -> None:
    call_command("seed_demo", "--demo")
    with system_scope():
        before = set(Account.objects.values_list("pk", "name"))

    call_command("seed_demo", "--demo", "--fresh")

    with system_scope():
        assert set(Account.objects.values_list("pk", "name")) == before
        assert Membership.objects.count() == 7


def test_scores_of_the_demo_come_from_the_rules() -> None:
    call_command("seed_demo", "--demo")

    with system_scope():
        assert not TargetAccount.objects.filter(icp_score=None).exists()
        assert TargetAccount.objects.filter(tier="", proposed_tier="A").exists()
        assert Sequence.objects.count() == 2
