"""Whatever a file contains: it is refused with a sentence, or every row of it is accounted for."""

import pytest
from django.db import IntegrityError

from accounts.models import Account
from identity.models import Organization
from identity.scope import org_scope
from people.import_models import ListImport
from people.models import Person
from tests.people.importing.corpus import CORPUS
from tests.people.importing.helpers import bring_in, bring_in_or_refuse, counts

NEVER_STORED = {"NaN", "NULL", "null", "None", "N/A", "n/a", "-", "--", "#N/A", "#REF!"}
NO_CONTACT = NEVER_STORED | {"No Phone", "/exhibitor/123", "javascript:alert(1)", "http://"}


def test_the_corpus_has_more_than_two_hundred_files() -> None:
    assert len(CORPUS) >= 200


@pytest.mark.parametrize("name", CORPUS)
def test_every_row_of_an_odd_file_is_accounted_for(name: str, organization: Organization) -> None:
    done, refusal = bring_in_or_refuse(organization, CORPUS[name])

    if done is None:
        assert refusal.endswith(".")
        return
    if done.status == "failed":
        assert done.error
        return
    rows, created, updated, unchanged, rejected = counts(done)
    assert (done.status, rows) == ("finished", created + updated + unchanged + rejected)
    with org_scope(organization.pk):
        accounts, people = list(Account.objects.all()), list(Person.objects.all())
    assert not {a.name for a in accounts} & NEVER_STORED
    assert not {p.name for p in people} & NEVER_STORED
    assert not {value for row in (*accounts, *people) for value in (row.phone, row.linkedin)} & NO_CONTACT
    assert not {a.website for a in accounts} & NO_CONTACT
    assert all(p.email == "" or "@" in p.email for p in people)


def test_an_import_cannot_finish_with_a_row_missing(organization: Organization) -> None:
    done = bring_in(organization, b"Company\nAcme\n")

    with pytest.raises(IntegrityError), org_scope(organization.pk):
        ListImport.objects.filter(pk=done.pk).update(rows_total=2)
