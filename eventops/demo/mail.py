"""Writing to people: a mailbox at the sandbox, templates, three campaigns in every state, and what came back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.models import TargetAccount
from common.happenings import Happening, Kind, announce
from eventops.demo.wordings import REPLIES, TEMPLATES
from eventops.demo.world import Chance, World
from events.models import Event
from outreach.addresses import address_hash, masked
from outreach.classifying import Reading, classify
from outreach.drafting import Draft, writer_for
from outreach.models import (
    Campaign,
    InboundMail,
    Mailbox,
    Message,
    ProviderEvent,
    SendAttempt,
    Suppression,
    Template,
    TemplateVersion,
)
from people.models import Person

State = Message.State
BOUNCE = "550 5.1.1 The mail account does not exist."


@dataclass
class _Post:
    """Rows on their way into the database."""

    messages: list[Message] = field(default_factory=list)
    tries: list[SendAttempt] = field(default_factory=list)
    events: list[ProviderEvent] = field(default_factory=list)
    replies: list[InboundMail] = field(default_factory=list)
    suppressed: list[Suppression] = field(default_factory=list)
    story: list[Happening] = field(default_factory=list)


def seed_mail(world: World) -> None:
    if Message.objects.filter(event=world.show).exists():
        return
    chance, post = Chance("mail"), _Post()
    mailbox = _mailbox(world)
    first, second, third = (_template(world, chance, *wording) for wording in TEMPLATES)
    people = _people(world, chance)
    _sent_wave(world, chance, post, _campaign(world, chance, "Save the date", first, mailbox), people[:170], days=-48)
    _sent_wave(
        world,
        chance,
        post,
        _campaign(world, chance, "Invitation, first round", second, mailbox),
        people[120:380],
        days=-17,
    )
    reminder = _campaign(world, chance, "Reminder to tier A and B", third, mailbox, Campaign.Status.SENDING)
    _sent_wave(world, chance, post, reminder, people[120:215], days=-5)
    _waiting(world, chance, post, reminder, people[215:240])
    review = _campaign(world, chance, "Slots on the last day", second, mailbox, Campaign.Status.REVIEW)
    _drafts(world, chance, post, review, people[380:420])
    _previous_show(
        world, chance, post, _campaign(world, chance, "Last year's invitation", first, mailbox, event=world.previous)
    )
    _write(post)
    _engage(world)


def _mailbox(world: World) -> Mailbox:
    """Not introduced to its provider yet: the worker does that, and then the sandbox reports what happens to its mail."""
    owner = world.members[1]
    mailbox, created = Mailbox.objects.get_or_create(
        organization=world.organization,
        name="Mara at Kestrel",
        defaults={
            "kind": Mailbox.Kind.SENDGRID, "from_name": owner.name, "from_address": owner.email,
            "reply_domain": "reply.kestrel.example", "owner": owner, "daily_cap": 2_000,
            "signature": "Mara Lindqvist\nSales, Kestrel Robotics",
        },
    )  # fmt: skip
    if created:
        mailbox.seal_credentials({"api_key": "SG.kestrel-demo-key"})
        mailbox.save(update_fields=["credentials", "updated_at"])
    return mailbox


def _template(world: World, chance: Chance, name: str, subject: str, body: str) -> Template:
    template, created = Template.objects.get_or_create(
        organization=world.organization,
        name=name,
        archived_at=None,
        defaults={"id": chance.uuid(), "subject": subject, "body": body, "author": world.members[1]},
    )
    if created:
        TemplateVersion.objects.create(
            organization=world.organization,
            template=template,
            number=1,
            subject=subject,
            body=body,
            author=world.members[1],
        )
    return template


def _campaign(
    world: World, chance: Chance, name: str, template: Template, mailbox: Mailbox, status: str = "done",
    event: Event | None = None,
) -> Campaign:  # fmt: skip
    return Campaign.objects.create(
        id=chance.uuid(), organization=world.organization, name=name, event=event or world.show, template=template,
        mailbox=mailbox, owner=world.members[1], status=status,
        approved_at=None if status == "review" else world.now - timedelta(days=6), approved_by=world.members[1],
    )  # fmt: skip


def _people(world: World, chance: Chance) -> list[Person]:
    """People with an address, those of the best accounts first, a little shuffled."""
    targets = (
        TargetAccount.objects.filter(event=world.show).order_by("-icp_score", "id").values_list("account_id", flat=True)
    )
    order = {account_id: place for place, account_id in enumerate(targets)}
    found = list(Person.objects.exclude(email="").select_related("account").order_by("id"))
    return sorted(found, key=lambda person: order.get(person.account_id or person.pk, 999) + chance.random() * 120)


def _message(world: World, chance: Chance, campaign: Campaign, person: Person, draft: Draft, **fields: Any) -> Message:
    return Message(
        id=chance.uuid(), organization=world.organization, person=person, account=person.account, event=campaign.event,
        campaign=campaign, mailbox=campaign.mailbox, template=campaign.template, template_version=1,
        owner=person.owner or world.members[1], to_address=person.email, subject=draft.subject, body=draft.body,
        address_hash=address_hash(world.organization.pk, person.email), **fields,
    )  # fmt: skip


def _sent_wave(
    world: World, chance: Chance, post: _Post, campaign: Campaign, people: list[Person], *, days: int
) -> None:
    drafts = writer_for(campaign, campaign.template).write(people)
    for number, person in enumerate(people):
        draft = drafts[person.pk]
        if draft.left_out:
            skipped = _message(world, chance, campaign, person, draft, state=State.SKIPPED, reason=draft.left_out)
            post.messages.append(skipped)
            continue
        sent = world.moment(days, 8, 30) + timedelta(seconds=number * 7 + chance.randrange(5))
        if chance.likely(0.01):
            post.messages.append(
                _message(
                    world, chance, campaign, person, draft, state=State.REJECTED, due_at=sent,
                    reason="The provider refuses this address.",
                )
            )  # fmt: skip
            continue
        message = _message(
            world, chance, campaign, person, draft, state=State.ACCEPTED, sent_at=sent, due_at=sent, attempts=1,
            approved_at=sent - timedelta(hours=1), approved_by=world.members[1], frozen_at=sent, text=draft.body,
        )  # fmt: skip
        message.provider_message_id = f"demo-{message.pk.hex[:16]}"
        post.messages.append(message)
        _try(post, message, sent, SendAttempt.Outcome.ACCEPTED)
        _tell(post, message, Kind.OUTREACH_SENT, f"Mail sent: {message.subject}", sent, actor=world.members[1].pk)
        _what_came_back(world, chance, post, message, sent)


def _try(post: _Post, message: Message, at: datetime, outcome: str) -> None:
    post.tries.append(
        SendAttempt(
            organization_id=message.organization_id, message=message, number=1, token=message.pk, provider="sendgrid",
            provider_message_id=message.provider_message_id, outcome=outcome, started_at=at, http_status=202,
            finished_at=None if outcome == SendAttempt.Outcome.UNKNOWN else at + timedelta(milliseconds=180),
        )
    )  # fmt: skip


def _what_came_back(world: World, chance: Chance, post: _Post, message: Message, sent: datetime) -> None:
    """Delivered or bounced, then opened, clicked, answered, in that order and never in the future."""
    latest = world.now - timedelta(minutes=4)

    def later(begin: datetime, hours: float) -> datetime | None:
        moment = begin + timedelta(minutes=chance.randrange(2, max(3, int(hours * 60))))
        return moment if moment < latest else None

    if chance.likely(0.035):
        message.bounced_at, message.bounce_reason = sent + timedelta(seconds=9), BOUNCE
        message.bounced_for_good = True
        _report(post, message, "bounced", message.bounced_at, reason=BOUNCE)
        _suppress(world, post, message, Suppression.Reason.HARD_BOUNCE)
        return
    if chance.likely(0.985):
        message.delivered_at = sent + timedelta(seconds=4)
        _report(post, message, "delivered", message.delivered_at)
    if message.delivered_at and chance.likely(0.2):
        message.machine_opened_at = sent + timedelta(seconds=6)
        _report(post, message, "opened", message.machine_opened_at, is_machine=True)
    if message.delivered_at and chance.likely(0.55) and (opened := later(sent, 30)):
        message.opened_at = opened
        _report(post, message, "opened", opened)
        if chance.likely(0.3) and (clicked := later(opened, 1)):
            message.clicked_at = clicked
            _report(post, message, "clicked", clicked, url="https://kestrel.example/k3")
        if chance.likely(0.34) and (replied := later(opened, 40)):
            message.replied_at = replied
            _reply(world, chance, post, message, replied)
        elif chance.likely(0.02) and (left := later(opened, 1)):
            message.unsubscribed_at = left
            _report(post, message, "unsubscribed", left)
            _suppress(world, post, message, Suppression.Reason.UNSUBSCRIBED)
            _tell(post, message, Kind.OUTREACH_UNSUBSCRIBED, "Unsubscribed", left)


def _report(post: _Post, message: Message, kind: str, at: datetime, *, is_machine: bool = False, **data: str) -> None:
    post.events.append(
        ProviderEvent(
            organization_id=message.organization_id, provider="sendgrid", event_id=f"demo-{message.pk.hex}-{kind}-{is_machine:d}",
            message=message, attempt=1, kind=kind, occurred_at=at, is_machine=is_machine, data=data, processed_at=at,
        )
    )  # fmt: skip


def _reply(world: World, chance: Chance, post: _Post, message: Message, at: datetime) -> None:
    text = chance.choice(REPLIES)
    verdict = classify(
        Reading(headers={}, subject="Re:", from_address=message.to_address, words=text, received_on=at.date())
    )
    recent = at > world.now - timedelta(days=9)
    post.replies.append(
        InboundMail(
            id=chance.uuid(), organization_id=message.organization_id, mailbox=message.mailbox, message=message,
            person=message.person, kind=InboundMail.Kind.REPLY, digest=f"demo{message.pk.hex}".ljust(64, "0"),
            from_address=message.to_address, from_name=message.person.name, subject=f"Re: {message.subject}"[:500],
            text=f"{text}\n\n{message.person.name}", received_at=at, sorted_at=at, assignee=message.owner,
            label=verdict.label, evidence=verdict.evidence[:200], label_on=verdict.on, other_address=verdict.address,
            handled_at=None if recent and chance.likely(0.6) else at + timedelta(hours=3), handled_by=message.owner,
        )
    )  # fmt: skip
    if post.replies[-1].handled_at is None:
        post.replies[-1].handled_by = None
    _tell(post, message, Kind.OUTREACH_REPLIED, f"Reply received: {post.replies[-1].subject}", at)


def _suppress(world: World, post: _Post, message: Message, reason: str) -> None:
    if message.address_hash and all(row.address_hash != message.address_hash for row in post.suppressed):
        post.suppressed.append(
            Suppression(
                organization_id=message.organization_id, address_hash=message.address_hash, reason=reason,
                hint=masked(message.to_address), source="SendGrid",
            )
        )  # fmt: skip


def _tell(post: _Post, message: Message, kind: Kind, summary: str, at: datetime, actor: Any = None) -> None:
    post.story.append(
        Happening(
            kind=kind, organization_id=message.organization_id, actor_id=actor, event_id=message.event_id,
            account_id=message.account_id, person_id=message.person_id, summary=summary[:300],
            data={"message_id": str(message.pk)}, occurred_at=at,
        )
    )  # fmt: skip


def _waiting(world: World, chance: Chance, post: _Post, campaign: Campaign, people: list[Person]) -> None:
    """What has not left: queued for tomorrow, held, unknown, cancelled."""
    drafts = writer_for(campaign, campaign.template).write(people)
    common = {"approved_at": world.now - timedelta(days=5), "approved_by": world.members[1]}
    for number, person in enumerate(person for person in people if not drafts[person.pk].left_out):
        draft, due = drafts[person.pk], world.moment(1, 9) + timedelta(days=2, seconds=number)
        if number < 14:
            message = _message(world, chance, campaign, person, draft, state=State.QUEUED, due_at=due, **common)
        elif number < 17:
            why = "It is too late for this mail: its time has passed."
            message = _message(
                world, chance, campaign, person, draft, state=State.HELD, due_at=due, reason=why, **common
            )
        elif number < 19:
            tried = world.moment(-5, 8, 50) + timedelta(seconds=number)
            message = _message(
                world, chance, campaign, person, draft, state=State.UNKNOWN, due_at=tried, unknown_since=tried,
                reason="The provider stopped answering while it was taking the mail.", attempts=1, frozen_at=tried,
                text=draft.body, **common,
            )  # fmt: skip
            _try(post, message, tried, SendAttempt.Outcome.UNKNOWN)
        else:
            message = _message(
                world,
                chance,
                campaign,
                person,
                draft,
                state=State.CANCELLED,
                reason="Taken back by Mara Lindqvist.",
                **common,
            )
        post.messages.append(message)


def _drafts(world: World, chance: Chance, post: _Post, campaign: Campaign, people: list[Person]) -> None:
    drafts = writer_for(campaign, campaign.template).write(people)
    for person in people:
        draft = drafts[person.pk]
        state = State.SKIPPED if draft.left_out else State.DRAFT
        post.messages.append(_message(world, chance, campaign, person, draft, state=state, reason=draft.left_out))


def _previous_show(world: World, chance: Chance, post: _Post, campaign: Campaign) -> None:
    accounts = TargetAccount.objects.filter(event=world.previous).values("account_id")
    people = list(
        Person.objects.filter(account__in=accounts).exclude(email="").select_related("account").order_by("id")
    )[:110]
    _sent_wave(world, chance, post, campaign, people, days=(world.previous.starts_on - world.today).days - 20)


def _write(post: _Post) -> None:
    Message.objects.bulk_create(post.messages, batch_size=500)
    SendAttempt.objects.bulk_create(post.tries, batch_size=1_000)
    ProviderEvent.objects.bulk_create(post.events, batch_size=1_000)
    InboundMail.objects.bulk_create(post.replies)
    Suppression.objects.bulk_create(post.suppressed, ignore_conflicts=True)
    announce(*post.story)


def _engage(world: World) -> None:
    """Who answered is engaged and qualified, unless more is known."""
    answered = Message.objects.filter(event=world.show, replied_at__isnull=False).values("account_id")
    targets = TargetAccount.objects.filter(event=world.show, account__in=answered)
    targets.filter(status__in=["PROSPECTING", ""]).update(status=TargetAccount.Status.ENGAGED)
    targets.filter(stage="Lead").update(stage=TargetAccount.Stage.QUALIFIED)
