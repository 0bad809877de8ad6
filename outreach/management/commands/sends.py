"""Stop and start sending, and say which installation may send: ``manage.py sends stop --reason "wrong list"``."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import switches
from outreach.models import Mailbox, Message, SendStop
from outreach.services import mailboxes


class Command(BaseCommand):
    help = (
        "Stop or start sending, for the installation, one organization or one mailbox; show what is stopped; or accept "
        "this database as the one that sends, after a restore."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["stop", "start", "status", "accept"])
        parser.add_argument("--organization", metavar="SLUG", help="only this organization")
        parser.add_argument("--mailbox", type=UUID, metavar="ID", help="only this mailbox")
        parser.add_argument("--reason", default="", help="why; needed to stop")
        parser.add_argument(
            "--last-sent-at", metavar="TIME", help="accept: when the former installation sent its last (ISO 8601)"
        )

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "status":
            self._status()
        elif action == "accept":
            self._accept(options["last_sent_at"])
        elif action == "stop" and not options["reason"].strip():
            raise CommandError("Say why: --reason")
        elif options["mailbox"]:
            self._mailbox(action, options["mailbox"], options["reason"])
        elif options["organization"]:
            self._organization(action, options["organization"], options["reason"])
        elif action == "stop":
            switches.stop_everything(reason=options["reason"])
            self.stdout.write("Nothing leaves this installation any more.")
        else:
            switches.start_everything()
            self.stdout.write("The installation sends again.")

    def _organization(self, action: str, slug: str, reason: str) -> None:
        with system_scope():
            organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise CommandError(f"There is no organization “{slug}”.")
        with org_scope(organization.pk):
            if action == "start":
                switches.start(organization, actor=None, reason=reason)
                self.stdout.write(f"{organization.name} sends again.")
                return
            try:
                switches.stop(organization, reason=reason, actor=None)
            except switches.AlreadyStopped:
                raise CommandError(f"{organization.name} is stopped already.") from None
        self.stdout.write(f"Nothing leaves {organization.name} any more.")

    def _mailbox(self, action: str, mailbox_id: UUID, reason: str) -> None:
        with system_scope():
            mailbox = Mailbox.objects.filter(pk=mailbox_id).first()
        if mailbox is None:
            raise CommandError("There is no such mailbox.")
        with org_scope(mailbox.organization_id):
            if action == "stop":
                mailbox.pause(reason=reason, now=timezone.now())
            else:
                self._resume(mailbox, reason)
        self.stdout.write(f"{mailbox.name}: {'paused' if action == 'stop' else 'sends again'}.")

    def _resume(self, mailbox: Mailbox, reason: str) -> None:
        try:
            mailboxes.resume(mailbox, actor=None, reason=reason)
        except ValueError as error:
            raise CommandError(f"It was paused for its health: {mailbox.pause_reason} {error} --reason") from error

    def _accept(self, last_sent_at: str | None) -> None:
        moment = parse_datetime(last_sent_at) if last_sent_at else None
        if last_sent_at and (moment is None or moment.tzinfo is None):
            raise CommandError("Write --last-sent-at as 2026-11-20T16:00:00+01:00.")
        released = switches.accept_epoch(last_sent_at=moment)
        self.stdout.write(f"This database sends under the epoch “{settings.EVENTOPS_SEND_EPOCH}” from now on.")
        self.stdout.write(f"{released} held mails cannot have left and are queued again.")
        with system_scope():
            held = Message.objects.filter(state=Message.State.HELD, cause=Message.Cause.RESTORED).count()
        self.stdout.write(f"{held} mails stay held until a report or a person decides: see the ledger.")

    def _status(self) -> None:
        row = switches.installation()
        same = row.epoch == settings.EVENTOPS_SEND_EPOCH
        self.stdout.write(f"Epoch of the database “{row.epoch}”, of this process “{settings.EVENTOPS_SEND_EPOCH}”.")
        if not same:
            self.stdout.write("They differ: nothing is sent until manage.py sends accept.")
        self.stdout.write(f"Installation: {f'stopped, {row.stop_reason}' if row.stopped_at else 'sends'}")
        with system_scope():
            for stop in SendStop.objects.filter(ended_at=None).select_related("organization"):
                self.stdout.write(f"{stop.organization.slug}: stopped, {stop.reason}")
            for mailbox in Mailbox.objects.in_use().exclude(paused_at=None).select_related("organization"):
                self.stdout.write(f"{mailbox.organization.slug}, mailbox {mailbox.pk}: paused, {mailbox.pause_reason}")
            states = Message.objects.filter(due_at__isnull=False).order_by().values_list("state")
            for state, number in states.annotate(number=Count("id")):
                self.stdout.write(f"{number} mails {state}")
