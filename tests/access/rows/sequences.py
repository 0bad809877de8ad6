"""Sequences: everybody reads, reps and above write."""

from django.utils import timezone

from identity.models import Organization
from identity.scope import org_scope
from sequences.models import Enrollment, EnrollmentRule, SequenceVersion
from tests.access.matrix import ANYONE, REP, VIEWER, members, operation
from tests.factories import AccountFactory, MailboxFactory, PersonFactory, SequenceFactory, StepFactory


def _somebody(organization: Organization) -> dict[str, object]:
    return {"personIds": [str(PersonFactory.create(account=AccountFactory.create(organization=organization)).pk)]}


def _sequence(organization: Organization) -> object:
    return SequenceFactory.create(organization=organization).pk


def _step(organization: Organization) -> object:
    return StepFactory.create(sequence=SequenceFactory.create(organization=organization)).pk


def _enrollment(organization: Organization) -> object:
    sequence = SequenceFactory.create(organization=organization)
    with org_scope(organization.pk):
        version = SequenceVersion.objects.create(
            organization=organization, sequence=sequence, number=1, plan={"first": None, "steps": []}
        )
        now = timezone.now()
        enrollment = Enrollment.objects.create(
            organization=organization, sequence=sequence, version=version, started_at=now, previous_at=now,
            person=PersonFactory.create(account=AccountFactory.create(organization=organization)),
            mailbox=MailboxFactory.create(organization=organization), state=Enrollment.State.PAUSED,
        )  # fmt: skip
    return enrollment.pk


def _published(organization: Organization) -> object:
    mailbox = MailboxFactory.create(organization=organization)
    sequence = SequenceFactory.create(organization=organization, mailbox=mailbox, status="active")
    with org_scope(organization.pk):
        SequenceVersion.objects.create(
            organization=organization, sequence=sequence, number=1, plan={"first": None, "steps": []}
        )
    return sequence.pk


def _rule(organization: Organization) -> object:
    sequence = SequenceFactory.create(organization=organization)
    rule = {"match": "all", "tests": [{"fact": "person.has_phone", "is": "yes"}]}
    with org_scope(organization.pk):
        return EnrollmentRule.objects.create(organization=organization, sequence=sequence, rule=rule).pk


ROWS = {
    "sequences:list": members(get=VIEWER),
    "sequences:create": members(get=REP, post=REP),
    "sequences:detail": members(get=VIEWER, pk="sequence"),
    "sequences:preview": members(get=VIEWER, pk="sequence"),
    "sequences:figures": members(get=VIEWER, pk="sequence"),
    "sequences:rules": members(get=REP, post=REP, pk="sequence"),
    "sequences:pause_rule": members(post=REP, pk="enrollment_rule"),
    "sequences:remove_rule": members(post=REP, pk="enrollment_rule"),
    "sequences:add_people": members(get=REP, pk="sequence"),
    "sequences:enroll": members(get=REP, post=REP),
    "sequences:people": members(get=VIEWER, query=""),
    "sequences:bulk": members(post=REP, data={"action": "pause", "all": "1"}),
    "sequences:enrollment": members(get=VIEWER, pk="enrollment"),
    "sequences:act": members(post=REP, pk="enrollment", action="enrollment_action"),
    "sequences:edit": members(get=REP, post=REP, pk="sequence"),
    "sequences:publish": members(post=REP, pk="sequence"),
    "sequences:pause": members(post=REP, pk="sequence"),
    "sequences:archive": members(post=REP, pk="sequence"),
    "sequences:copy": members(post=REP, pk="sequence"),
    "sequences:reorder": members(post=REP, pk="sequence"),
    "sequences:add_step": members(get=REP, post=REP, pk="sequence", kind="step_kind"),
    "sequences:edit_step": members(get=REP, post=REP, pk="step"),
    "sequences:remove_step": members(post=REP, pk="step"),
}
ROWS |= {
    "GET /api/sequences": operation(VIEWER),
    "GET /api/sequences/{sequence_id}": operation(VIEWER, sequence_id="sequence"),
    "GET /api/sequences/{sequence_id}/figures": operation(VIEWER, sequence_id="sequence"),
    "POST /api/sequences/{sequence_id}/enroll": operation(REP, sequence_id="published_sequence", body=_somebody),
    "GET /api/sequences/{sequence_id}/enrollments": operation(VIEWER, sequence_id="sequence"),
    "GET /api/sequences/enrollments/{enrollment_id}": operation(VIEWER, enrollment_id="enrollment"),
    "POST /api/sequences/enrollments/{enrollment_id}/stop": operation(REP, enrollment_id="enrollment"),
    "GET /api/cron/sequences": operation(ANYONE),
}
BUILDERS = {
    "published_sequence": _published,
    "enrollment_rule": _rule,
    "enrollment": _enrollment,
    "enrollment_action": lambda organization: "pause",
    "sequence": _sequence,
    "step": _step,
    "step_kind": lambda organization: "task",
}
