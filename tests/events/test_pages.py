import pytest
from django.urls import reverse

from events.models import Event
from identity.scope import org_scope
from tests.factories import AccountFactory, EventFactory, MessageFactory, PersonFactory, TargetAccountFactory

COSTS = {"costs-TOTAL_FORMS": "2", "costs-INITIAL_FORMS": "0", "costs-MIN_NUM_FORMS": "0", "costs-MAX_NUM_FORMS": "60"}
SHOW = {
    "name": "Hannover Messe 2027", "starts_on": "2027-04-12", "ends_on": "2027-04-16", "time_zone": "Europe/Berlin",
    "venue": "Messegelände", "city": "Hannover", "goal_meetings": "120", "goal_leads": "400",
    "costs-0-kind": "booth", "costs-0-amount": "12500.00", "costs-1-kind": "booth", "costs-1-amount": "", **COSTS,
}  # fmt: skip


def test_a_new_show_is_saved_with_its_costs_and_governs_every_page(client_for, manager, event, organization):
    client = client_for(manager)

    response = client.post(reverse("events:create"), SHOW)

    with org_scope(organization.pk):
        show = Event.objects.get(name="Hannover Messe 2027")
        costs = [str(cost.amount) for cost in show.costs.all()]
    assert response.status_code == 302
    assert response["Location"] == reverse("events:detail", args=[show.pk])
    assert (show.slug, costs) == ("hannover-messe-2027", ["12500.00"])
    assert client.session["event_id"] == str(show.pk)


def test_a_show_that_ends_before_it_begins_is_refused_with_the_input_kept(client_for, manager):
    response = client_for(manager).post(reverse("events:create"), SHOW | {"ends_on": "2027-04-01"})

    assert response.status_code == 422
    assert "The last day is before the first day." in response.text
    assert "Hannover Messe 2027" in response.text


def test_a_second_show_of_the_same_name_is_refused(client_for, manager, event):
    response = client_for(manager).post(reverse("events:create"), SHOW | {"name": event.name})

    assert response.status_code == 422
    assert f"There is already a show called {event.name}." in response.text


def test_editing_replaces_the_costs(client_for, manager, event, organization):
    client = client_for(manager)
    form = SHOW | {"name": event.name, "costs-0-amount": "900", "costs-1-kind": "travel", "costs-1-amount": "50"}

    client.post(reverse("events:edit", args=[event.pk]), form)
    response = client.post(
        reverse("events:edit", args=[event.pk]), form | {"costs-1-amount": "", "costs-1-kind": "booth"}
    )

    with org_scope(organization.pk):
        saved = Event.objects.get(pk=event.pk)
        costs = [(cost.kind, str(cost.amount)) for cost in saved.costs.all()]
    assert response.status_code == 302
    assert (saved.city, saved.slug, costs) == ("Hannover", "techexpo-2026", [("booth", "900.00")])


def test_switching_the_show_keeps_you_on_the_page(client_for, viewer, organization, event):
    other = EventFactory.create(organization=organization, name="Older show")
    client = client_for(viewer)

    response = client.post(reverse("events:switch"), {"event": str(other.pk), "next": "/accounts/?tier=A"})

    assert (response.status_code, response["Location"]) == (302, "/accounts/?tier=A")
    assert client.session["event_id"] == str(other.pk)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_switching_never_leads_to_another_site(client_for, viewer, event, address):
    response = client_for(viewer).post(reverse("events:switch"), {"event": str(event.pk), "next": address})

    assert response["Location"] == "/"


def test_switching_to_nonsense_is_refused(client_for, viewer, event):
    response = client_for(viewer).post(reverse("events:switch"), {"event": "x"})

    assert response.status_code == 422


def test_strangers_do_not_find_the_show(client_for, stranger, event):
    client = client_for(stranger)

    assert client.get(reverse("events:detail", args=[event.pk])).status_code == 404
    assert client.get(reverse("events:edit", args=[event.pk])).status_code == 404
    assert client.post(reverse("events:switch"), {"event": str(event.pk)}).status_code == 404


def test_reps_may_look_but_not_change(client_for, rep, event):
    client = client_for(rep)

    assert client.get(reverse("events:list")).status_code == 200
    assert client.get(reverse("events:detail", args=[event.pk])).status_code == 200
    assert client.get(reverse("events:create")).status_code == 403
    assert client.post(reverse("events:edit", args=[event.pk]), SHOW).status_code == 403
    assert client.get(reverse("events:switch")).status_code == 405


def test_without_a_show_the_list_leads_to_adding_one(client_for, owner):
    response = client_for(owner).get(reverse("events:list"))

    assert "Add your first show" in response.text
    assert reverse("events:create") in response.text


def test_an_archived_show_is_offered_nowhere_and_comes_back(client_for, manager, event, organization):
    other = EventFactory.create(organization=organization, name="Next show")
    client = client_for(manager)

    client.post(reverse("events:archive", args=[event.pk]))

    page = client.get(reverse("events:list"))
    assert [show.name for show in page.context["archived"]] == [event.name]
    assert [show.name for show in page.context["nav_events"]] == [other.name]
    assert page.context["request"].event == other
    assert client.post(reverse("events:switch"), {"event": str(event.pk)}).status_code == 404
    client.post(reverse("events:archive", args=[event.pk]))
    assert len(client.get(reverse("events:list")).context["nav_events"]) == 2


def test_an_empty_show_is_deleted_at_once(client_for, manager, event, organization):
    client = client_for(manager)

    assert "is empty" in client.get(reverse("events:delete", args=[event.pk])).text
    response = client.post(reverse("events:delete", args=[event.pk]))

    assert response["Location"] == reverse("events:list")
    with org_scope(organization.pk):
        assert not Event.objects.exists()


def test_a_show_with_rows_is_deleted_only_by_an_owner_who_types_its_name(
    client_for, manager, owner, event, organization
):
    account = AccountFactory.create(organization=organization)
    TargetAccountFactory.create(account=account, event=event)
    message = MessageFactory.create(person=PersonFactory.create(account=account), event=event)
    address = reverse("events:delete", args=[event.pk])

    by_manager = client_for(manager).post(address, {"name": event.name})
    with_wrong_name = client_for(owner).post(address, {"name": "Something"})
    page = client_for(owner).get(address)
    by_owner = client_for(owner).post(address, {"name": event.name})

    assert (by_manager.status_code, with_wrong_name.status_code, by_owner.status_code) == (403, 422, 302)
    assert [(one.number, one.words, one.goes) for one in page.context["belongings"]] == [
        (1, "target account", True), (1, "message", False),
    ]  # fmt: skip
    with org_scope(organization.pk):
        assert not Event.objects.exists()
        message.refresh_from_db()
        assert message.event_id is None
