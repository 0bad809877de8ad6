"""Templates: what a colleague would say about them, and every wording they had."""

import pytest

from identity.scope import org_scope
from outreach import proofreading
from outreach.models import Template
from tests.factories import AccountFactory, PersonFactory, TemplateFactory


@pytest.mark.parametrize(
    ("subject", "body", "found"),
    [
        ("Meet us", "Hello, see https://acme.example/a.", []),
        ("Meet us", "See http://acme.example", ["“http://acme.example” should begin with https://."]),
        ("Meet us", "See www.acme.example", ["“www.acme.example” should begin with https://."]),
        ("Meet us", "See https://acme", ["“https://acme” is no complete link."]),
        ("Meet us", "See https://a.example:port", ["“https://a.example:port” is no complete link."]),
        (
            "Meet us",
            "See https://bit.ly/x",
            ["“https://bit.ly/x” hides where it leads. Filters distrust shortened links: write the real one."],
        ),
        ("Meet us", " https://a.example/1" * 4, ["4 links: filters trust mails with 3 or fewer."]),
        ("x" * 61, "Hello", ["The subject has 61 characters: phones show about 60."]),
        ("Meet us", "word " * 201, ["201 words: first mails of up to 200 words are answered most."]),
        ("Act now", "It is guaranteed", ["Words that spam filters count: act now, guaranteed."]),
        ("Meet us!!", "Hello", ["Capital words and rows of exclamation marks look like spam."]),
        ("VERY GOOD NEWS", "Hello", ["Capital words and rows of exclamation marks look like spam."]),
        ("Meet us at EMO", "Hello IAA and NASA", []),
    ],
)
def test_a_careful_colleague_says_what_is_worth_changing(subject, body, found):
    assert proofreading.hints(subject, body) == found


def test_two_wordings_are_compared_word_by_word():
    pieces = proofreading.compare("we meet on Monday", "we meet on Tuesday morning")

    assert "".join(piece.text for piece in pieces if piece.kind != "added") == "we meet on Monday"
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == "we meet on Tuesday morning"
    assert pieces[0] == ("kept", "we meet on ")


def test_an_earlier_wording_comes_back_as_a_new_version(organization, client_for, rep):
    browser = client_for(rep)
    form = {"name": "Invitation", "subject": "Meet us", "body": "Come on Monday"}
    browser.post("/outreach/templates/new/", form)
    with org_scope(organization.pk):
        pk = Template.objects.get().pk
    browser.post(f"/outreach/templates/{pk}/", form | {"body": "Come on Tuesday"})

    page = browser.get(f"/outreach/templates/{pk}/versions/").content.decode()
    answer = browser.post(f"/outreach/templates/{pk}/versions/1/", follow=True).content.decode()

    assert "<del>Monday</del><ins>Tuesday</ins>" in page
    assert "says what it said in version 1." in answer
    with org_scope(organization.pk):
        template = Template.objects.get()
        assert (template.body, template.version) == ("Come on Monday", 3)


def test_a_version_that_never_was_is_not_found(organization, client_for, rep):
    template = TemplateFactory.create(organization=organization)

    assert client_for(rep).post(f"/outreach/templates/{template.pk}/versions/7/").status_code == 404


def test_the_preview_shows_both_parts_and_the_hints(organization, client_for, rep):
    PersonFactory.create(account=AccountFactory.create(organization=organization), first_name="Ada")
    words = {"subject": "Act now", "body": "Hello **{{ first_name }}**{{#if title}}, {{ title }}{{/if}}"}

    page = client_for(rep).post("/outreach/templates/preview/", words).content.decode()

    assert "&lt;strong&gt;Ada&lt;/strong&gt;" in page
    assert '<pre class="mail-text">Hello Ada' in page
    assert "Words that spam filters count: act now." in page
