"""Sequences through the front door: a plan of steps in order, with the waits between them."""

import pytest
from django.db import IntegrityError, transaction

from identity.scope import org_scope
from sequences.models import Sequence, Step
from sequences.services import plans
from tests.factories import EventFactory, OrganizationFactory, SequenceFactory, StepFactory, TemplateFactory

HTMX = {"HX-Request": "true", "HX-Target": "spine"}


@pytest.fixture
def sequence(organization) -> Sequence:
    return SequenceFactory.create(organization=organization, name="Before the show")


def steps_of(sequence: Sequence) -> list[str]:
    with org_scope(sequence.organization_id):
        return [step.title for step in Step.objects.filter(sequence=sequence).in_order().select_related("template")]


def three_steps(sequence: Sequence) -> list[Step]:
    return [StepFactory.create(sequence=sequence, position=i, subject=name) for i, name in enumerate("abc")]


def test_list_shows_steps_and_mails(organization, sequence, viewer, client_for):
    three_steps(sequence)
    StepFactory.create(
        sequence=sequence,
        position=3,
        kind="email",
        subject="",
        template=TemplateFactory.create(organization=organization),
    )

    text = client_for(viewer).get("/sequences/").content.decode()

    assert "Before the show" in text
    assert '<td class="num" data-label="Steps">4</td>' in text
    assert '<td class="num" data-label="Mails">1</td>' in text


def test_empty_list_says_the_next_step(rep, client_for):
    assert "Make the first sequence" in client_for(rep).get("/sequences/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_the_same_number_of_questions_for_any_number_of_rows(
    organization, rep, client_for, django_assert_num_queries, count: int
):
    for _ in range(count):
        three_steps(
            SequenceFactory.create(organization=organization, event=EventFactory.create(organization=organization))
        )
    client = client_for(rep)
    client.get("/sequences/")

    with django_assert_num_queries(11):
        client.get("/sequences/")


def test_making_a_sequence_leads_to_its_page(organization, event, rep, client_for):
    answer = client_for(rep).post("/sequences/new/", {"name": " Follow up ", "description": "", "event": event.pk})

    with org_scope(organization.pk):
        made = Sequence.objects.get()
    assert (made.name, made.author_id, made.event_id, made.status) == ("Follow up", rep.pk, event.pk, "draft")
    assert answer["Location"] == f"/sequences/{made.pk}/"


def test_two_sequences_cannot_have_one_name(sequence, rep, client_for):
    answer = client_for(rep).post("/sequences/new/", {"name": "BEFORE the show"})

    assert answer.status_code == 422
    assert "Another sequence has this name" in answer.content.decode()


def test_show_of_another_organization_is_refused(organization, rep, client_for):
    foreign = EventFactory.create(organization=OrganizationFactory.create())

    answer = client_for(rep).post("/sequences/new/", {"name": "Follow up", "event": foreign.pk})

    assert answer.status_code == 422


def test_saving_a_sequence_under_its_own_name_works(sequence, rep, client_for):
    answer = client_for(rep).post(
        f"/sequences/{sequence.pk}/edit/", {"name": "Before the show", "description": "Invite"}
    )

    assert answer.status_code == 302


def test_adding_a_mail_and_a_task(organization, sequence, rep, client_for):
    template = TemplateFactory.create(organization=organization, name="Invitation")
    client = client_for(rep)

    client.post(
        f"/sequences/{sequence.pk}/steps/add/email/",
        {"template": template.pk, "days": 0, "hours": 0, "delay_from": "previous"},
    )
    client.post(
        f"/sequences/{sequence.pk}/steps/add/call/",
        {"subject": "Ask for a slot", "days": 3, "hours": 4, "delay_from": "previous", "business_days": "on"},
    )

    text = client.get(f"/sequences/{sequence.pk}/").content.decode()
    assert steps_of(sequence) == ["Invitation", "Ask for a slot"]
    assert "At the start" in text
    assert "3 working days and 4 hours after the step before" in text


@pytest.mark.parametrize(
    ("kind", "data", "complaint"),
    [
        ("email", {"template": ""}, "This field is required."),
        ("task", {"subject": ""}, "This field is required."),
        ("task", {"subject": "Call", "days": "-1"}, "greater than or equal to 0"),
        ("task", {"subject": "Call", "days": "365", "hours": "1"}, "A step can wait a year at most."),
    ],
)
def test_incomplete_step_is_refused(sequence, rep, client_for, kind: str, data: dict, complaint: str):
    values = {"days": 0, "hours": 0, "delay_from": "previous", **data}

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/{kind}/", values)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert steps_of(sequence) == []


def test_template_of_another_organization_is_refused(sequence, rep, client_for):
    foreign = TemplateFactory.create(organization=OrganizationFactory.create())
    values = {"template": foreign.pk, "days": 0, "hours": 0, "delay_from": "previous"}

    assert client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/email/", values).status_code == 422


def test_unknown_kind_of_step_is_not_found(sequence, rep, client_for):
    assert client_for(rep).get(f"/sequences/{sequence.pk}/steps/add/fax/").status_code == 404


def test_editing_a_step_keeps_its_place(sequence, rep, client_for):
    steps = three_steps(sequence)

    form = client_for(rep).get(f"/sequences/steps/{steps[1].pk}/").content.decode()
    client_for(rep).post(
        f"/sequences/steps/{steps[1].pk}/", {"subject": "B", "days": 2, "hours": 0, "delay_from": "start"}
    )

    assert 'value="b"' in form
    assert steps_of(sequence) == ["a", "B", "c"]


@pytest.mark.parametrize(
    ("move", "order"),
    [(("up", 0), "abc"), (("down", 0), "bac"), (("up", 2), "acb"), (("down", 2), "abc")],
)
def test_buttons_move_a_step(sequence, rep, client_for, move: tuple[str, int], order: str):
    steps = three_steps(sequence)

    answer = client_for(rep).post(
        f"/sequences/{sequence.pk}/order/", {"move": f"{move[0]}:{steps[move[1]].pk}"}, headers=HTMX
    )

    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert steps_of(sequence) == list(order)


def test_whole_order_comes_from_a_drag(sequence, rep, client_for):
    steps = three_steps(sequence)

    client_for(rep).post(f"/sequences/{sequence.pk}/order/", {"step": [steps[i].pk for i in (2, 0, 1)]})

    assert steps_of(sequence) == ["c", "a", "b"]


@pytest.mark.parametrize("sent", [[], ["x"], [0, 0, 1], [0, 1]])
def test_order_that_does_not_name_every_step_once_changes_nothing(sequence, rep, client_for, sent: list):
    steps = three_steps(sequence)
    values = [steps[one].pk if isinstance(one, int) else one for one in sent]

    client_for(rep).post(f"/sequences/{sequence.pk}/order/", {"step": values})

    assert steps_of(sequence) == ["a", "b", "c"]


def test_removed_step_closes_the_gap(sequence, rep, client_for):
    steps = three_steps(sequence)

    client_for(rep).post(f"/sequences/steps/{steps[0].pk}/remove/", headers=HTMX)

    with org_scope(sequence.organization_id):
        assert list(Step.objects.in_order().values_list("subject", "position")) == [("b", 0), ("c", 1)]


def test_archived_sequence_leaves_the_list_and_cannot_be_changed_until_it_returns(sequence, rep, client_for):
    client = client_for(rep)

    client.post(f"/sequences/{sequence.pk}/archive/", {"archived": "1"})

    client.get("/sequences/")  # shows the notice, which names the sequence
    assert "Before the show" not in client.get("/sequences/").content.decode()
    assert "Before the show" in client.get("/sequences/?archived=1").content.decode()
    assert "Add a step" not in client.get(f"/sequences/{sequence.pk}/").content.decode()

    client.post(f"/sequences/{sequence.pk}/archive/", {"archived": "0"})

    assert "Add a step" in client.get(f"/sequences/{sequence.pk}/").content.decode()


def test_copy_has_the_same_steps_under_another_name(sequence, rep, client_for):
    three_steps(sequence)
    client = client_for(rep)

    client.post(f"/sequences/{sequence.pk}/copy/")
    client.post(f"/sequences/{sequence.pk}/copy/")

    with org_scope(sequence.organization_id):
        copies = list(Sequence.objects.exclude(pk=sequence.pk).order_by("name"))
    assert [copy.name for copy in copies] == ["Before the show (copy 2)", "Before the show (copy)"]
    assert steps_of(copies[0]) == ["a", "b", "c"]


def test_database_refuses_a_step_that_says_nothing(sequence):
    with org_scope(sequence.organization_id):
        for values in ({"kind": "email"}, {"kind": "task", "subject": ""}):
            with pytest.raises(IntegrityError, match="step_says_what_to_do"), transaction.atomic():
                Step.objects.create(organization_id=sequence.organization_id, sequence=sequence, position=0, **values)


@pytest.mark.parametrize(
    ("position", "hours", "origin", "words"),
    [
        (0, 0, "previous", "At the start"),
        (0, 48, "previous", "2 days after the start"),
        (1, 0, "previous", "Right after"),
        (1, 0, "start", "At the start as well"),
        (1, 25, "previous", "1 day and 1 hour after the step before"),
        (2, 72, "start", "3 days after the start"),
    ],
)
def test_waits_are_said_in_words(position: int, hours: int, origin: str, words: str):
    assert Step(position=position, delay_days=hours // 24, delay_hours=hours % 24, delay_from=origin).wait == words


def test_moving_a_step_that_was_removed_meanwhile_is_refused(sequence):
    steps = three_steps(sequence)

    with org_scope(sequence.organization_id), pytest.raises(plans.OrderHasChanged):
        plans.reorder_steps(sequence, order=[steps[0].pk])


def test_second_step_is_offered_three_days_later(sequence, rep, client_for):
    client = client_for(rep)
    address = f"/sequences/{sequence.pk}/steps/add/task/"

    first = client.get(address).content.decode()
    StepFactory.create(sequence=sequence, position=0)
    second = client.get(address).content.decode()

    assert 'name="days" value="0"' in first
    assert 'name="days" value="3"' in second
