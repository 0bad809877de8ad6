"""Snippets: put in when a text is saved; a change is a new version of every template with it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.scope import org_scope
from outreach.models import Snippet, Template
from tests.factories import AccountFactory, InboundMailFactory, PersonFactory, SnippetFactory, TemplateFactory

WAY = {"name": "way", "text": 'You find us in {{ booth | "hall 4" }}.'}
LETTER = {"name": "Letter", "subject": "Hello", "body": "Dear {{ first_name }},\n\n{{ snippet way }}"}


@pytest.fixture
def browser(client_for, rep):
    return client_for(rep)


@pytest.fixture
def letter(browser, organization):
    """A template with the snippet "way" in it."""
    browser.post("/outreach/templates/snippets/new/", WAY)
    browser.post("/outreach/templates/new/", LETTER)
    with org_scope(organization.pk):
        return Template.objects.get()


def again(organization, row):
    with org_scope(organization.pk):
        return type(row).objects.get(pk=row.pk)


def test_a_snippet_becomes_words_when_the_template_is_saved(organization, letter, browser):
    assert letter.body == 'Dear {{ first_name }},\n\nYou find us in {{ booth | "hall 4" }}.'
    assert letter.source == LETTER["body"]
    assert "{{ snippet way }}" in browser.get(f"/outreach/templates/{letter.pk}/").content.decode()


def test_a_changed_snippet_is_a_new_version_and_the_old_one_says_what_it_said(organization, letter, browser):
    with org_scope(organization.pk):
        snippet = Snippet.objects.get()

    browser.post(f"/outreach/templates/snippets/{snippet.pk}/", {"text": "Come to gate 3."})

    changed = again(organization, letter)
    assert (changed.version, changed.body) == (2, "Dear {{ first_name }},\n\nCome to gate 3.")
    with org_scope(organization.pk):
        bodies = [version.body for version in changed.versions.order_by("number")]
    assert bodies == [letter.body, changed.body]


def test_the_same_words_again_make_no_version(organization, letter, browser):
    with org_scope(organization.pk):
        snippet = Snippet.objects.get()

    browser.post(f"/outreach/templates/snippets/{snippet.pk}/", {"text": WAY["text"]})

    assert again(organization, letter).version == 1


def test_a_deleted_snippet_leaves_its_words(organization, letter, browser):
    with org_scope(organization.pk):
        snippet = Snippet.objects.get()

    browser.post(f"/outreach/templates/snippets/{snippet.pk}/delete/")

    kept = again(organization, letter)
    assert (kept.body, kept.source, kept.version) == (letter.body, "", 1)
    assert "No snippets yet" in browser.get("/outreach/templates/snippets/").content.decode()


def test_one_mail_and_an_answer_may_hold_one_too(organization, browser, mailbox, letter, event):
    person = PersonFactory.create(account=AccountFactory.create(organization=organization))
    form = {"mailbox": mailbox.pk, "subject": "Hello", "body": "{{ snippet way }}"}

    browser.post(f"/outreach/people/{person.pk}/", form)
    mail = InboundMailFactory.create(mailbox=mailbox, person=person, kind="reply", from_address=person.email)
    browser.post(f"/outreach/replies/{mail.pk}/answer/", {"body": "{{ snippet way }}"})

    with org_scope(organization.pk):
        assert {message.body for message in person.messages.all()} == {"You find us in A-123."}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Way out"},
        {"name": "1st"},
        {"name": ""},
        {"text": ""},
        {"text": "{{ snippet way }}"},
        {"text": "{{ nobody }}"},
        {"text": "{% debug %}"},
        {"text": "{{#if title}}open"},
    ],
)
def test_a_snippet_that_makes_no_sense_is_a_422(organization, browser, wrong):
    assert browser.post("/outreach/templates/snippets/new/", WAY | wrong).status_code == 422
    with org_scope(organization.pk):
        assert not Snippet.objects.exists()


def test_a_name_is_taken_once_and_an_unknown_snippet_is_refused(organization, browser):
    SnippetFactory.create(organization=organization, name="way")
    SnippetFactory.create(name="elsewhere")

    assert browser.post("/outreach/templates/snippets/new/", WAY).status_code == 422
    page = browser.post("/outreach/templates/new/", LETTER | {"body": "{{ snippet elsewhere }}"})
    assert page.status_code == 422
    assert "There is no snippet “elsewhere”." in page.content.decode()


def test_the_preview_shows_the_words_of_a_snippet(organization, browser):
    SnippetFactory.create(organization=organization, name="way", text="Come to gate 3.")
    PersonFactory.create(account=AccountFactory.create(organization=organization))

    answer = browser.post("/outreach/templates/preview/", {"subject": "Hello", "body": "Dear all, {{ snippet way }}"})

    assert "Dear all, Come to gate 3." in answer.content.decode()


def test_the_list_needs_the_same_queries_for_one_and_many(organization, browser):

    def count():
        with CaptureQueriesContext(connection) as queries:
            browser.get("/outreach/templates/snippets/")
        return len(queries)

    SnippetFactory.create(organization=organization)
    count()
    one = count()
    for _ in range(2):
        TemplateFactory.create(organization=organization)
        SnippetFactory.create(organization=organization)

    assert count() == one
