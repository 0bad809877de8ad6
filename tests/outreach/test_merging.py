"""Merge fields are no template language: nothing is evaluated, nothing unfilled leaves."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach import markup, merging

VALUES = {name: f"<{name}>" for name in merging.FIELDS}

# ruff: noqa: E501 - lists of hostile words
INSIDE = [
    "first_name.__class__", "first_name.upper", "first_name|upper", "first_name|safe", "first_name | default:'x'", "nobody",
    "first_name()", "first_name[0]", "1+1", "7*7", "''.__class__.__mro__", "config", "settings.SECRET_KEY", "request", "self",
    "person.email", "first_name, last_name", "first name", "First_Name", "FIRST_NAME", "first_name;", "first_name | there",
    "first_name | 'there'", 'first_name | "a" | "b"', 'first_name "x"', "", " ", "\n", "first_name\n", "{first_name}", "{{first_name",
    "first_name}", "first_name | \"{{ company }}\"", "first_name | \"}}\"", "first_name | \"\n\"", "_", "__class__", "a" * 5_000,
    "0", "true", "None", "first_name if True", "for x in y", "import os", "lambda: 0", "first_nаme", "ﬁrst_name", "first​_name",
    "first_name\u202e", "fir\x00st_name", "first_name\r\nBcc: x@y.z", "<script>", "%s", "${first_name}", "#{first_name}", "@first_name",
    "url 'x'", "load os", "include 'x'", "debug", "csrf_token", "organization.members", "my_name.password", "event.organization",
]  # fmt: skip
AROUND = [
    "{{{{{0}}}}}", "{{{{ {0} }}}}", "Hello {{{{{0}}}}}, you", "{{{{first_name}}}}{{{{ {0} }}}}", "{{%{0}%}}", "{{% {0} %}}", "{{#{0}#}}",
    "{{{{{{{0}}}}}}}",
]  # fmt: skip
HOSTILE = [around.format(inside) for inside, around in itertools.product(INSIDE, AROUND)]
LOOSE = [
    "{{",
    "}}",
    "{{ first_name",
    "first_name }}",
    "{{ {{ first_name }} }}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{ first_name }}}}",
    "{{{{",
]


def test_there_are_hundreds_of_hostile_templates():
    assert len(set(HOSTILE)) > 400


@pytest.mark.parametrize("template", [*HOSTILE, *LOOSE])
def test_a_hostile_template_is_refused_or_stays_text(template):
    try:
        merging.check(template)
    except merging.InvalidTemplate:
        return
    done = merging.fill(template, VALUES)
    assert not merging.has_marks(done)
    assert "49" not in done


@pytest.mark.parametrize("name", merging.FIELDS)
def test_every_field_is_filled_with_and_without_spaces(name):
    assert merging.fill(f"{{{{{name}}}}}|{{{{  {name}\t}}}}", VALUES) == f"<{name}>|<{name}>"


def test_a_missing_value_blocks_the_mail_with_a_plain_reason():
    with pytest.raises(merging.CannotFill, match=r"^The first name is missing\.$"):
        merging.fill("Hello {{ first_name }}", {"first_name": "  \n "})


def test_a_fallback_is_the_authors_choice():
    assert merging.fill('Hello {{ first_name | "there" }}{{ title | "" }}', {}) == "Hello there"


@pytest.mark.parametrize(
    "value",
    ["{{ company }}", "{% debug %}", "x }} y", "{# c", "{{", "a {{ b", "{{ first_name }}", "%}", "{\u200b{ my_name }}"],
)
def test_a_value_is_never_read_for_fields(value):
    with pytest.raises(merging.CannotFill, match="look"):
        merging.fill("Hello {{ first_name }}", {"first_name": value, "company": "Acme"})


@pytest.mark.parametrize(
    ("source", "value"), [("{{{ first_name }}", "{"), ("{{ first_name }}}", "}"), ("{{{ first_name }}}", "{x}")]
)
def test_two_halves_of_a_mark_do_not_meet(source, value):
    with pytest.raises((merging.CannotFill, merging.InvalidTemplate)):
        merging.fill(source, {"first_name": value})


@pytest.mark.parametrize(
    "value", ["Ada\r\nBcc: all@x.y", "Ada\nX: y", "Ada\x0bX", "Ada\u2028X", "Ada\x85X", "A\x00d\x1ba", "Ada\u202eevil"]
)
def test_a_value_stays_on_its_line_and_shows_what_it_is(value):
    done = merging.fill("{{ first_name }}", {"first_name": value})

    assert done.isprintable()
    assert done.startswith("A")


@pytest.mark.parametrize("subject", ["a\nb", "a\r\nBcc: x@y.z", "a\x00", "a\u2028b", "a\x7f", "a\u202e", "a\u200b"])
def test_a_subject_with_more_than_one_line_is_refused(subject):
    with pytest.raises(merging.InvalidTemplate, match="one line"):
        merging.check_subject(subject)


def test_all_problems_are_told_at_once_and_each_once():
    with pytest.raises(merging.InvalidTemplate) as caught:
        merging.check("{{ nobody }} {{ nothing }} {{ nobody }}")

    assert caught.value.problems == ["There is no field “nobody”.", "There is no field “nothing”."]


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_and_no_value_leaves_a_mark(template, value):
    try:
        done = merging.fill(template + "{{ first_name }}", {"first_name": value})
    except (merging.InvalidTemplate, merging.CannotFill):
        return

    assert not merging.has_marks(done)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>", "<img src=x onerror=y>", '"><b>', "[x](javascript:alert(1))", "[x](data:text/html,y)",
        "[a](https://x.y/\"onclick=z)", "**<b>**", "https://x.y/<script>", "[<img src=x>](https://x.y)", "&lt;", "- <li>",
        "[a](https://x.y)<p>", "[x](vbscript:y)", "[x]( https://a.b )", "[x](//evil.example)",
    ],
)  # fmt: skip
def test_nothing_becomes_html_that_the_author_did_not_mean(hostile):
    shown = markup.to_html(hostile, styled=False)

    for tag in (
        "<script",
        "<img",
        "<b>",
        "javascript:",
        "onclick=",
        "onerror=y>",
        'href="//',
        'href="data',
        'href="vb',
    ):
        assert tag not in shown.replace("&lt;", "").replace(hostile, "") or tag in {
            "javascript:",
            "onclick=",
            "onerror=y>",
        }
    assert shown.count("<a ") <= 1
    assert 'href="javascript' not in shown


def test_a_value_cannot_complete_a_link():
    done = merging.fill("{{ company }} writes", {"company": "[x](https://evil.example)"})

    assert ">x</a>" not in markup.to_html(done)
    assert "](" not in done


def test_both_parts_say_the_same():
    body = "Hello **Ada**,\n\n- one\n- two\n\nSee [our page](https://x.example/a) or https://x.example/b."

    assert markup.to_text(body) == (
        "Hello Ada,\n\n- one\n- two\n\nSee our page (https://x.example/a) or https://x.example/b."
    )
    assert markup.to_html(body, styled=False) == (
        "<p>Hello <strong>Ada</strong>,</p>\n<ul><li>one</li><li>two</li></ul>\n"
        '<p>See <a href="https://x.example/a">our page</a> or <a href="https://x.example/b">https://x.example/b</a>.</p>'
    )


CHOICE = "{{#if title}}As {{ title }}, you{{else}}You{{/if}} decide."


@pytest.mark.parametrize(
    ("source", "values", "done"),
    [
        (CHOICE, {"title": "buyer"}, "As buyer, you decide."),
        (CHOICE, {"title": " \n"}, "You decide."),
        ("a{{#if city}}b{{/if}}c", {}, "ac"),
        ('{{#if country = "Germany"}}Hallo{{else}}Hello{{/if}}', {"country": " germany "}, "Hallo"),
        ('{{#if country="Germany"}}Hallo{{else}}Hello{{/if}}', {"country": "Germany-on-Sea"}, "Hello"),
        ("{{#if city}}{{#if title}}both{{else}}city{{/if}}{{else}}none{{/if}}", {"city": "Köln"}, "city"),
        ("Hello\n{{#if city}}\nin {{ city }}\n{{else}}\nthere\n{{/if}}\nBye", {"city": "Köln"}, "Hello\nin Köln\nBye"),
        ("Hello\n{{#if city}}\nin {{ city }}\n{{else}}\nthere\n{{/if}}\nBye", {}, "Hello\nthere\nBye"),
        ("{{#if city}}{{/if}}x", {"city": "{{ first_name }}"}, "x"),
    ],
)
def test_a_choice_is_made_by_a_field(source, values, done):
    assert merging.fill(source, values) == done


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{#if title}}x", "A choice has no end: write {{/if}} behind it."),
        ("x{{/if}}", "“{{/if}}” stands without an {{#if …}} before it."),
        ("x{{else}}", "“{{else}}” stands without an {{#if …}} before it."),
        ("{{#if title}}a{{else}}b{{else}}c{{/if}}", "A choice has more than one {{else}}."),
        ("{{#if nobody}}a{{/if}}", "There is no field “nobody”."),
        ("{{#if title}}" * 3 + "{{/if}}" * 3, "A choice may stand in another one, but not deeper."),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(source, problem):
    with pytest.raises(merging.InvalidTemplate) as caught:
        merging.check(source)

    assert problem in caught.value.problems


@pytest.mark.parametrize(
    "source",
    [
        "{{#if title == 'x'}}{{/if}}", '{{#if title != "x"}}{{/if}}', "{{#if title.lower}}{{/if}}", "{{#if 1}}{{/if}}",
        "{{#if title and city}}{{/if}}", "{{#unless title}}{{/if}}", "{{#each title}}{{/each}}", "{{ #if}}{{/if}}",
        '{{#if title = "{{ city }}"}}{{/if}}', "{{#if title}}{{elif city}}{{/if}}", "{{^if title}}{{/if}}", "{{> footer }}",
    ],
)  # fmt: skip
def test_there_is_no_more_than_presence_and_equality(source):
    with pytest.raises(merging.InvalidTemplate):
        merging.check(source)


def test_only_what_a_person_would_read_must_have_values():
    text = "{{#if title}}{{ title }} {{ city }}{{else}}{{ company }}{{/if}}"

    assert merging.missing_fields({"title": "buyer"}, text) == ["city"]
    assert merging.missing_fields({}, text) == ["company"]
    assert merging.missing_fields({"company": "Acme"}, text) == []
    assert merging.fields_in(text) == ["title", "city", "company"]
