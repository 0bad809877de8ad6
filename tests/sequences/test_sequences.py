"""Sequences through the front door: a plan of steps in order, with the waits between them."""

import pytest
from django.db import IntegrityError, transaction

from identity.scope import org_scope
from sequences.models import Sequence, Step
from sequences.services import plans
from tests.factories import (
    EventFactory,
    MailboxFactory,
    OrganizationFactory,
    SequenceFactory,
    StepFactory,
    TemplateFactory,
)

HTMX = {"HX-Request": "true", "HX-Target": "builder"}


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

    with django_assert_num_queries(12):
        client.get("/sequences/")


def test_making_a_sequence_leads_to_its_page(organization, event, rep, client_for):
    answer = client_for(rep).post(
        "/sequences/new/", {"name": " Follow up ", "description": "", "event": event.pk, "late_after_hours": 72}
    )

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
        f"/sequences/{sequence.pk}/edit/", {"name": "Before the show", "description": "Invite", "late_after_hours": 24}
    )

    assert answer.status_code == 302


def test_adding_a_mail_and_a_task(organization, sequence, rep, client_for):
    template = TemplateFactory.create(organization=organization, name="Invitation")
    client = client_for(rep)

    client.post(
        f"/sequences/{sequence.pk}/steps/add/email/",
        {"template": template.pk, "days": 0, "hours": 0, "counted": "previous"},
    )
    client.post(
        f"/sequences/{sequence.pk}/steps/add/call/",
        {"subject": "Ask for a slot", "days": 3, "hours": 4, "counted": "previous", "business_days": "on"},
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
    values = {"days": 0, "hours": 0, "counted": "previous", **data}

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/{kind}/", values)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert steps_of(sequence) == []


def test_template_of_another_organization_is_refused(sequence, rep, client_for):
    foreign = TemplateFactory.create(organization=OrganizationFactory.create())
    values = {"template": foreign.pk, "days": 0, "hours": 0, "counted": "previous"}

    assert client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/email/", values).status_code == 422


def test_unknown_kind_of_step_is_not_found(sequence, rep, client_for):
    assert client_for(rep).get(f"/sequences/{sequence.pk}/steps/add/fax/").status_code == 404


def test_editing_a_step_keeps_its_place(sequence, rep, client_for):
    steps = three_steps(sequence)

    form = client_for(rep).get(f"/sequences/steps/{steps[1].pk}/").content.decode()
    client_for(rep).post(
        f"/sequences/steps/{steps[1].pk}/", {"subject": "B", "days": 2, "hours": 0, "counted": "start"}
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


def branch_with_lanes(sequence: Sequence) -> tuple[Step, Step, Step]:
    """A branch in the first place with one step on each side."""
    rule = {"match": "all", "tests": [{"fact": "person.has_phone", "is": "yes"}]}
    branch = StepFactory.create(sequence=sequence, position=0, kind="branch", subject="", rule=rule)
    sides = [StepFactory.create(sequence=sequence, position=0, parent=branch, lane=s, subject=s) for s in ("yes", "no")]
    return branch, sides[0], sides[1]


@pytest.mark.parametrize(
    ("lane", "position", "places"),
    [
        ("yes", 0, [("yes", 0), ("no", 0), ("yes", 1)]),
        ("yes", 1, [("yes", 1), ("no", 0), ("yes", 0)]),
        ("", 0, [("", 0), ("no", 0), ("yes", 0)]),
    ],
)
def test_a_drag_moves_a_step_into_another_lane(sequence, rep, client_for, lane: str, position: int, places: list):
    branch, *_ = branch_with_lanes(sequence)
    call = StepFactory.create(sequence=sequence, position=1, subject="call")
    where = f"{branch.pk}.{lane}" if lane else ""

    answer = client_for(rep).post(
        f"/sequences/{sequence.pk}/order/", {"moved": f"{call.pk}:{where}:{position}"}, headers=HTMX
    )

    with org_scope(sequence.organization_id):
        found = {step.subject: (step.lane, step.position) for step in Step.objects.filter(sequence=sequence)}
    assert answer.status_code == 200
    assert [found["call"], found["no"], found["yes"]] == places


def test_the_list_of_places_moves_a_step_without_a_mouse(sequence, rep, client_for):
    steps = three_steps(sequence)
    client = client_for(rep)

    page = client.get(f"/sequences/steps/{steps[2].pk}/").content.decode()
    client.post(f"/sequences/{sequence.pk}/order/", {"step": steps[2].pk, "place": ":0"})

    assert '<option value=":0">Before 1: a</option>' in page
    assert steps_of(sequence) == ["c", "a", "b"]


@pytest.mark.parametrize("moved", ["", "x", "::", "{0}:{0}.yes:0"])
def test_a_move_that_makes_no_sense_changes_nothing(sequence, rep, client_for, moved: str):
    steps = three_steps(sequence)

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/order/", {"moved": moved.format(steps[0].pk)})

    assert answer.status_code in {302, 404}
    assert steps_of(sequence) == ["a", "b", "c"]


def test_a_branch_cannot_be_moved_into_itself(sequence, rep, client_for):
    branch, *_ = branch_with_lanes(sequence)

    client_for(rep).post(f"/sequences/{sequence.pk}/order/", {"moved": f"{branch.pk}:{branch.pk}.yes:0"})

    with org_scope(sequence.organization_id):
        assert Step.objects.get(pk=branch.pk).parent_id is None


@pytest.mark.parametrize(("at", "order"), [("0", "nabc"), ("2", "abnc"), ("9", "abcn"), ("x", "abcn"), ("-1", "abcn")])
def test_a_step_is_inserted_between_two(sequence, rep, client_for, at: str, order: str):
    three_steps(sequence)
    form = {"subject": "n", "days": 1, "hours": 0, "counted": "previous"}

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/task/?lane=&at={at}", form)

    with org_scope(sequence.organization_id):
        new = Step.objects.get(subject="n")
    assert answer["Location"] == f"/sequences/{sequence.pk}/#title-{new.pk}"
    assert steps_of(sequence) == list(order)


def test_a_step_is_inserted_into_a_lane(sequence, rep, client_for):
    branch, *_ = branch_with_lanes(sequence)
    form = {"subject": "n", "days": 0, "hours": 0, "counted": "previous"}
    client = client_for(rep)

    page = client.get(f"/sequences/{sequence.pk}/").content.decode()
    client.post(f"/sequences/{sequence.pk}/steps/add/task/?lane={branch.pk}.yes&at=0", form)

    assert f"/steps/add/email/?lane={branch.pk}.yes&amp;at=0" in page
    with org_scope(sequence.organization_id):
        lane = Step.objects.filter(parent=branch, lane="yes").in_order()
        assert list(lane.values_list("subject", "position")) == [("n", 0), ("yes", 1)]


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


def test_a_branch_is_made_of_rows(sequence, rep, client_for):
    values = {
        "days": 0, "hours": 0, "counted": "previous", "rule-match": "any",
        "rule-fact0": "target.tier", "rule-test0": "one_of", "rule-value0": "A, b",
        "rule-fact1": "person.has_phone", "rule-test1": "contains", "rule-value1": "ignored",
        "rule-fact2": "", "rule-test2": "", "rule-value2": "",
    }  # fmt: skip

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/branch/", values)

    with org_scope(sequence.organization_id):
        step = Step.objects.get()
    assert answer.status_code == 302
    assert step.rule == {
        "match": "any",
        "tests": [
            {"fact": "target.tier", "is": "one_of", "value": ["A", "B"]},
            {"fact": "person.has_phone", "is": "yes"},
        ],
    }


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({}, "Choose at least one fact."),
        ({"rule-fact0": "person.title", "rule-test0": "contains"}, "Say what “job title” should be."),
        (
            {"rule-fact0": "target.icp_score", "rule-test0": "below", "rule-value0": "many"},
            "“score of the company” is compared with a number.",
        ),
        (
            {"rule-fact0": "target.tier", "rule-test0": "one_of", "rule-value0": "Z"},
            "“tier” is never “Z”.",
        ),
    ],
)
def test_a_branch_that_asks_nothing_is_refused(sequence, rep, client_for, row: dict, complaint: str):
    values = {"days": 0, "hours": 0, "counted": "previous", "rule-match": "all", **row}

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/branch/", values)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert steps_of(sequence) == []


def test_a_step_counts_from_the_show(sequence, rep, client_for):
    values = {"subject": "Call", "days": 7, "hours": 0, "counted": "-event_start", "at_time": "09:30"}

    client_for(rep).post(f"/sequences/{sequence.pk}/steps/add/call/", values)

    with org_scope(sequence.organization_id):
        step = Step.objects.get()
    assert step.wait == "7 days before the first day of the show at 09:30"
    form = client_for(rep).get(f"/sequences/steps/{step.pk}/").content.decode()
    assert '<option value="-event_start" selected>' in form


def test_publishing_says_everything_that_is_in_the_way(sequence, rep, client_for):
    branch_with_lanes(sequence)
    StepFactory.create(sequence=sequence, position=1, kind="end", subject="")
    StepFactory.create(sequence=sequence, position=2, delay_from="event_start")

    answer = client_for(rep).post(f"/sequences/{sequence.pk}/publish/")

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "3 things are in the way" in text
    assert "Choose the mailbox its mails leave from." in text
    assert "A step is counted from the show: choose the show of the sequence." in text
    assert "Nothing after this end would ever happen" in text


def test_publishing_shows_the_version_until_a_step_changes(organization, sequence, rep, client_for):
    three_steps(sequence)
    with org_scope(organization.pk):
        Sequence.objects.update(mailbox=MailboxFactory.create(organization=organization))
    client = client_for(rep)

    client.post(f"/sequences/{sequence.pk}/publish/")
    published = client.get(f"/sequences/{sequence.pk}/").content.decode()
    StepFactory.create(sequence=sequence, position=3)
    changed = client.get(f"/sequences/{sequence.pk}/").content.decode()

    assert "Version 1" in published
    assert "Publish" not in published.replace("Published", "")
    assert "Unpublished changes" in changed
    assert "Publish changes" in changed


@pytest.mark.parametrize("start", ["before", "at", "after", "no_show"])
def test_a_ready_made_sequence_can_be_published_as_it_is(organization, event, rep, client_for, start: str):
    mailbox = MailboxFactory.create(organization=organization)
    client = client_for(rep)
    values = {
        "name": "Ready", "start": start, "event": event.pk, "mailbox": mailbox.pk, "late_after_hours": 72,
        "is_exclusive": "on",
    }  # fmt: skip

    page = client.post("/sequences/new/", values)["Location"]
    client.post(f"{page}publish/")

    with org_scope(organization.pk):
        made = Sequence.objects.get()
        assert (made.status, bool(made.description)) == ("active", True)
        assert plans.latest_version(made).number == 1


def test_pausing_and_going_on(organization, sequence, rep, client_for):
    with org_scope(organization.pk):
        Sequence.objects.update(status="active")
    client = client_for(rep)

    client.post(f"/sequences/{sequence.pk}/pause/")
    with org_scope(organization.pk):
        paused = Sequence.objects.get().status
    client.post(f"/sequences/{sequence.pk}/pause/", {"paused": "0"})

    with org_scope(organization.pk):
        assert (paused, Sequence.objects.get().status) == ("paused", "active")
