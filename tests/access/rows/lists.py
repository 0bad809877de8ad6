"""Events, accounts, people and what happens to them."""

from accounts.models import BulkJob
from activities import booth
from events.models import Event
from identity.scope import org_scope, system_scope
from tests.access.matrix import MANAGER, REP, VIEWER, members, operation
from tests.factories import AccountFactory, EventFactory, PersonFactory, TargetAccountFactory, TaskFactory, UserFactory


def target(organization):
    with system_scope():
        event = Event.objects.for_org(organization).order_by("-starts_on").first()
    event = event or EventFactory.create(organization=organization)
    return TargetAccountFactory.create(account__organization=organization, event=event).account_id


def job(organization):
    with system_scope():
        return BulkJob.objects.create(
            organization=organization, subject="accounts", action="assign", status="done", file_name="accounts.xlsx"
        ).pk


def at_a_show(organization):
    return f"eventId={EventFactory.create(organization=organization).pk}"


def about(organization):
    return {"accountId": str(AccountFactory.create(organization=organization).pk)}


def booth_visit(organization):
    person = PersonFactory.create(account__organization=organization)
    with org_scope(organization.pk):
        visit, _ = booth.meet(person, event=EventFactory.create(organization=organization), rep=UserFactory.create())
    return visit.pk


def at_the_booth(organization):
    person = PersonFactory.create(account__organization=organization)
    return {"personId": str(person.pk), "eventId": str(EventFactory.create(organization=organization).pk)}


BUILDERS = {
    "booth_visit": booth_visit,
    "job": job,
    "event": lambda organization: EventFactory.create(organization=organization).pk,
    "account": lambda organization: AccountFactory.create(organization=organization).pk,
    "target": target,
    "person": lambda organization: PersonFactory.create(account__organization=organization).pk,
    "cell_of_account": lambda organization: "tier",
    "about_account": lambda organization: "account",
    "task": lambda organization: (
        TaskFactory.create(organization=organization, account=AccountFactory.create(organization=organization)).pk
    ),
    "cell_of_person": lambda organization: "title",
}

ROWS = {
    "events:list": members(get=VIEWER),
    "events:create": members(get=MANAGER, post=MANAGER),
    "events:switch": members(post=VIEWER),
    "events:detail": members(get=VIEWER, pk="event"),
    "events:edit": members(get=MANAGER, post=MANAGER, pk="event"),
    "events:archive": members(post=MANAGER, pk="event"),
    "events:delete": members(get=MANAGER, post=MANAGER, pk="event"),
    "accounts:list": members(get=VIEWER),
    "accounts:filter": members(get=VIEWER),
    "accounts:suggest": members(get=VIEWER),
    "accounts:create": members(get=REP, post=REP),
    "accounts:detail": members(get=VIEWER, pk="account"),
    "accounts:edit": members(get=REP, post=REP, pk="account"),
    "accounts:delete": members(post=MANAGER, pk="account"),
    "accounts:target": members(post=REP, pk="account"),
    "accounts:untarget": members(post=REP, pk="target"),
    "accounts:stands": members(get=REP, post=REP, pk="target"),
    "accounts:bulk": members(post=REP, data={"action": "assign", "all": "1"}),
    "accounts:export": members(get=REP),
    "people:bulk": members(post=REP, data={"action": "assign", "all": "1"}),
    "people:export": members(get=REP),
    "accounts:job": members(get=VIEWER, pk="job"),
    "accounts:cancel": members(post=REP, pk="job"),
    "accounts:download": members(get=REP, pk="job"),
    "accounts:cell": members(get=REP, post=REP, pk="target", field="cell_of_account"),
    "people:list": members(get=VIEWER),
    "people:filter": members(get=VIEWER),
    "people:create": members(get=REP, post=REP),
    "people:detail": members(get=VIEWER, pk="person"),
    "people:edit": members(get=REP, post=REP, pk="person"),
    "people:delete": members(post=MANAGER, pk="person"),
    "activities:timeline": members(get=VIEWER, kind="about_account", pk="account"),
    "activities:note": members(post=REP, data={"body": "Met."}, kind="about_account", pk="account"),
    "activities:task": members(post=REP, data={"title": "Call"}, kind="about_account", pk="account"),
    "activities:task_done": members(post=REP, pk="task"),
    "activities:meet": members(post=REP, pk="person"),
    "activities:note_visit": members(post=REP, data={"note": "Wants a demo."}, pk="booth_visit"),
    "activities:undo_visit": members(post=REP, pk="booth_visit"),
    "people:cell": members(get=REP, post=REP, pk="person", field="cell_of_person"),
    "GET /api/events": operation(VIEWER),
    "POST /api/events": operation(
        MANAGER, body={"name": "Show", "startsOn": "2027-01-01", "endsOn": "2027-01-02", "timeZone": "UTC"}
    ),
    "GET /api/events/{event_id}": operation(VIEWER, event_id="event"),
    "PATCH /api/events/{event_id}": operation(MANAGER, event_id="event", body={"city": "Hannover"}),
    "GET /api/accounts": operation(VIEWER),
    "POST /api/accounts": operation(REP, body={"name": "New Company"}),
    "GET /api/accounts/{account_id}": operation(VIEWER, account_id="account"),
    "PATCH /api/accounts/{account_id}": operation(REP, account_id="account", body={"city": "Oslo"}),
    "DELETE /api/accounts/{account_id}": operation(MANAGER, account_id="account"),
    "GET /api/tags": operation(VIEWER),
    "GET /api/people": operation(VIEWER),
    "POST /api/people": operation(REP, body={"name": "Grace Hopper"}),
    "POST /api/contacts": operation(REP, body={"firstName": "Grace", "lastName": "Hopper"}),
    "GET /api/people/{person_id}": operation(VIEWER, person_id="person"),
    "PATCH /api/people/{person_id}": operation(REP, person_id="person", body={"title": "Admiral"}),
    "DELETE /api/people/{person_id}": operation(MANAGER, person_id="person"),
    "GET /api/activities": operation(VIEWER),
    "POST /api/booth-visits": operation(REP, body=at_the_booth),
    "DELETE /api/booth-visits/{visit_id}": operation(REP, visit_id="booth_visit"),
    "POST /api/notes": operation(REP, body=lambda organization: about(organization) | {"body": "Met."}),
    "GET /api/tasks": operation(VIEWER),
    "POST /api/tasks": operation(REP, body=lambda organization: about(organization) | {"title": "Call"}),
    "POST /api/tasks/{task_id}/done": operation(REP, task_id="task"),
    "GET /api/export/people/stream": operation(REP, query=at_a_show),
    "GET /api/export/accounts/stream": operation(REP, query=at_a_show),
    "POST /api/export/full": operation(REP, body={"format": "json"}),
}
