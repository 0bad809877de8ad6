"""Templates that ask for what many people lack."""

import pytest

from identity.scope import org_scope
from outreach.lacking import lacking
from people.models import Person
from tests.factories import AccountFactory, EventFactory, PersonFactory, TemplateFactory


@pytest.fixture
def people(organization):
    account = AccountFactory.create(organization=organization, city="Hamburg", industry="")
    for number in range(10):
        PersonFactory.create(account=account, title="Buyer" if number else "", first_name="Ada" if number < 7 else "")
    PersonFactory.create(account=AccountFactory.create(), first_name="")


@pytest.mark.parametrize(
    ("body", "lacks"),
    [
        ("{{ first_name }}, {{ city }}", [("first name", 3)]),
        ('{{ first_name | "there" }} {{ title }}', [("job title", 1)]),
        ("{{#if first_name}}{{ first_name }}{{/if}} and {{ industry }}", [("industry of the company", 10)]),
        ("{{ booth }} at {{ venue }}", [("our booth", 10)]),
    ],
)
def test_it_counts_who_lacks_what_a_template_cannot_do_without(organization, people, body, lacks):
    template = TemplateFactory.create(organization=organization, subject="Hello", body=body)
    event = EventFactory.create(organization=organization, booth="")

    with org_scope(organization.pk):
        found = lacking(Person.objects.for_org(organization), [template], event=event)

    assert [(lack.label, lack.number) for lack in found] == lacks


def test_the_page_that_writes_warns(organization, people, client_for, rep, mailbox):
    TemplateFactory.create(organization=organization, name="Cold", subject="Hello", body="{{ first_name }}")

    page = client_for(rep).get("/outreach/new/").content.decode()

    assert "“Cold” needs the first name: 3 people lack it" in page
