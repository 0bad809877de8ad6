"""What was exported comes back in unchanged, whatever it begins with."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from identity.models import Organization, User
from identity.scope import org_scope
from people.models import Person
from tests.factories import AccountFactory, PersonFactory
from tests.people.importing.helpers import bring_in, counts

NASTY = [
    "=1+1", "+49 and more", "-minus", "@home", "＝wide", "＋wide", "'quoted'", 'said "so", twice', "Straße, Ümit Œ", "a;b|c",
    "two\nlines", "'=kept", "''+both",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["update", "both"])
def test_an_export_comes_back_in_and_changes_nothing(
    client_for: Callable[[User], Client], rep: User, organization: Organization, mode: str
) -> None:
    account = AccountFactory.create(organization=organization, name="=Acme & Söhne", website="https://acme.example")
    for number, words in enumerate(NASTY):
        PersonFactory.create(
            account=account, name=f"Ada Nr{number}", first_name="Ada", last_name=f"Nr{number}", notes=words,
            title=" ".join(words.split()), department=" ".join(words.split()), email=f"ada{number}@acme.example",
            phone="+49 511 12345", city="",
        )  # fmt: skip
    with org_scope(organization.pk):
        before = list(Person.objects.order_by("pk").values())
    exported = b"".join(client_for(rep).get(reverse("people:export")).streaming_content)

    done = bring_in(organization, exported, mode=mode)

    assert counts(done) == (len(NASTY), 0, 0, len(NASTY), 0)
    with org_scope(organization.pk):
        assert list(Person.objects.order_by("pk").values()) == before
