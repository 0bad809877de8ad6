import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccountTag
from identity.scope import system_scope
from tests.factories import AccountFactory, PersonFactory, StandFactory, TagFactory, TargetAccountFactory

HTMX = {"HX-Request": "true"}


def targets(organization, event, *names, **fields):
    return [
        TargetAccountFactory.create(account__organization=organization, account__name=name, event=event, **fields)
        for name in names
    ]


def names_in(response):
    return [unescape(name) for name in re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', response.text)]


def next_address(response):
    found = re.search(r'<td class="load-more"[^>]*><a class="btn" href="([^"]+)"', response.text)
    return reverse("accounts:list") + unescape(found[1]) if found else ""


def test_the_list_shows_the_targets_of_the_chosen_show(client_for, viewer, organization, event):
    targets(organization, event, "Zeta", "Acme")
    AccountFactory.create(organization=organization, name="Elsewhere")
    TargetAccountFactory.create(account__name="Foreign")

    response = client_for(viewer).get(reverse("accounts:list") + "?sort=name")

    assert response.status_code == 200
    assert names_in(response) == ["Acme", "Zeta"]
    assert str(response.context["count"]) == "2"


def test_all_accounts_are_one_switch_away(client_for, viewer, organization, event):
    targets(organization, event, "Acme")
    AccountFactory.create(organization=organization, name="Elsewhere")

    response = client_for(viewer).get(reverse("accounts:list") + "?all=1")

    assert names_in(response) == ["Acme", "Elsewhere"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tier=A", ["Acme"]), ("tier=A&tier=B", ["Acme", "Borg"]), ("tier=none", ["Cyan"]), ("status=WON", ["Borg"]),
        ("stage=Booked", ["Cyan"]), ("score_min=50", ["Acme"]), ("score_max=40&score_min=10", ["Borg"]),
        ("hall=Hall 9", ["Borg"]), ("contact=yes", ["Acme"]), ("contact=no", ["Borg", "Cyan"]), ("owner=me", ["Cyan"]),
        ("owner=none", ["Acme", "Borg"]), ("country=Chile", ["Borg"]), ("q=acme-robots.com", ["Acme"]), ("q=bórg", ["Borg"]),
        ("q=cyaan", ["Cyan"]), ("q=nobody-at-all", []), ("tier=Z&owner=x&score_min=abc", ["Acme", "Borg", "Cyan"]),
    ],
)  # fmt: skip
def test_filters_narrow_the_list(client_for, rep, organization, event, query, expected):
    acme, borg, cyan = targets(organization, event, "Acme", "Borg", "Cyan")
    acme.account.website, borg.account.country = "https://acme-robots.com", "Chile"
    for row, values in (
        (acme, {"icp_score": 90}),
        (borg, {"tier": "B", "status": "WON", "icp_score": 30}),
        (cyan, {"tier": "", "stage": "Booked", "owner": rep}),
    ):
        for name, value in values.items():
            setattr(row, name, value)
    with system_scope():
        for row in (acme, borg, cyan):
            row.account.save()
            row.save()
    StandFactory.create(target=borg, hall="Hall 9")
    PersonFactory.create(account=acme.account)

    response = client_for(rep).get(reverse("accounts:list") + f"?sort=name&{query}")

    assert names_in(response) == expected


def test_tags_filter_and_read_as_a_sentence(client_for, viewer, organization, event):
    acme, _ = targets(organization, event, "Acme", "Borg")
    tag = TagFactory.create(organization=organization, name="Robots")
    with system_scope():
        AccountTag.objects.create(organization=organization, account=acme.account, tag=tag)

    response = client_for(viewer).get(reverse("accounts:list") + f"?tier=A&tag={tag.pk}")

    assert names_in(response) == ["Acme"]
    assert [chip.text for chip in response.context["chips"]] == ["Tier A", "tag Robots"]
    assert response.context["chips"][0].remove == f"tag={tag.pk}"


def test_pages_follow_each_other_without_gap_or_repeat(client_for, viewer, organization, event):
    wanted = [f"Company {n:03}" for n in range(120)]
    targets(organization, event, *wanted)
    client, seen, address = client_for(viewer), [], reverse("accounts:list") + "?sort=name"

    while address:
        response = client.get(address, headers=HTMX if "cursor" in address else {})
        seen += names_in(response)
        address = next_address(response)

    assert seen == wanted


def test_htmx_gets_the_rows_alone(client_for, viewer, organization, event):
    targets(organization, event, "Acme")

    response = client_for(viewer).get(reverse("accounts:list"), headers=HTMX)

    assert response.text.lstrip().startswith('<div id="list"')
    assert "<html" not in response.text
    assert "HX-Request" in response["Vary"]


def test_the_query_count_does_not_grow_with_the_rows(client_for, viewer, organization, event):
    client = client_for(viewer)
    targets(organization, event, "One")
    client.get(reverse("accounts:list"))
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(reverse("accounts:list"))
    for target in targets(organization, event, "Two", "Three"):
        StandFactory.create(target=target)
    with CaptureQueriesContext(connection) as three:
        client.get(reverse("accounts:list"))

    assert len(three) == len(one)


def test_fifty_rows_stay_below_sixty_kilobytes(client_for, viewer, organization, event):
    targets(organization, event, *[f"Maschinenfabrik Nummer {n} GmbH & Co. KG" for n in range(60)])

    response = client_for(viewer).get(reverse("accounts:list"))

    assert len(response.content) < 60_000


def test_an_empty_show_says_what_to_do_next(client_for, viewer, event):
    response = client_for(viewer).get(reverse("accounts:list"))

    assert "No accounts yet" in response.text
    assert reverse("accounts:create") in response.text


def test_a_damaged_page_address_starts_over(client_for, viewer, event):
    response = client_for(viewer).get(reverse("accounts:list") + "?tier=A&cursor=xx")

    assert (response.status_code, response["Location"]) == (302, reverse("accounts:list") + "?tier=A")


def test_tier_and_owner_are_edited_where_they_stand(client_for, rep, organization, event):
    (target,) = targets(organization, event, "Acme")
    client = client_for(rep)

    form = client.get(reverse("accounts:cell", args=[target.account_id, "tier"]), headers=HTMX)
    saved = client.post(reverse("accounts:cell", args=[target.account_id, "tier"]), {"value": "C"}, headers=HTMX)
    owned = client.post(
        reverse("accounts:cell", args=[target.account_id, "owner"]), {"value": str(rep.pk)}, headers=HTMX
    )
    refused = client.post(reverse("accounts:cell", args=[target.account_id, "tier"]), {"value": "Z"}, headers=HTMX)

    with system_scope():
        target.refresh_from_db()
        told = [
            entry.summary for entry in target.account.activities.exclude(kind="SCORE_UPDATED").order_by("occurred_at")
        ]
    assert form.text.startswith('<form class="cell-form"')
    assert saved.text.strip() == '<button class="cell-edit"><span class="badge" data-tone="">C</span></button>'
    assert (owned.status_code, refused.status_code) == (200, 422)
    assert (target.tier, target.owner_id) == ("C", rep.pk)
    assert told == ["Tier is now C", f"Owner is now {rep}"]


def test_a_fact_of_the_account_is_edited_where_it_stands(client_for, rep, organization, event):
    account = AccountFactory.create(organization=organization, name="Acme")
    client = client_for(rep)

    saved = client.post(
        reverse("accounts:cell", args=[account.pk, "employee_count"]), {"employee_count": "1200"}, headers=HTMX
    )
    refused = client.post(
        reverse("accounts:cell", args=[account.pk, "website"]), {"website": "not a site"}, headers=HTMX
    )
    unknown = client.get(reverse("accounts:cell", args=[account.pk, "search_text"]))

    assert "1,200" in saved.text
    assert (refused.status_code, unknown.status_code) == (422, 404)


def test_an_account_that_looks_like_one_we_have_is_shown_first(client_for, rep, organization, event):
    AccountFactory.create(organization=organization, name="Müller Maschinenbau GmbH", website="https://mueller-mb.de")
    AccountFactory.create(name="Foreign Robotics")
    client = client_for(rep)

    def ask(**form):
        response = client.post(reverse("accounts:create"), form)
        return response.status_code, re.findall(r'<span class="quiet">([^<·]*)', response.text)

    assert ask(name="muller maschinenbau AG") == (422, ["has the same name"])
    assert ask(name="Muller Maschinenbaw") == (422, ["has nearly the same name"])
    assert ask(name="Whatever", website="www.mueller-mb.de/about") == (422, ["has the same domain, mueller-mb.de"])
    assert ask(name="Foreign Robotics")[0] == 302
    assert ask(name="Müller Maschinenbau", anyway="1")[0] == 302
