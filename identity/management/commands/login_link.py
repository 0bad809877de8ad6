"""``manage.py login_link [EMAIL]``: print an address that signs one person in, once, within fifteen minutes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from common.text import email_key
from identity.models import Membership, Role, User
from identity.scope import system_scope
from identity.services import links


class Command(BaseCommand):
    help = "Print a single-use log-in address for EMAIL, or for the first owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._find(email_key(options["email"]))
        self.stdout.write(settings.BASE_URL + reverse("identity:enter", args=[links.make_token(user)]))

    def _find(self, email: str) -> User:
        if email:
            found = User.objects.filter(email=email, is_active=True).first()
            if found is None:
                raise CommandError(f"Nobody active has the address {email}.")
            return found
        with system_scope():
            owners = Membership.objects.active().filter(role=Role.OWNER).select_related("user").order_by("created_at")
            first = owners.first()
        if first is None:
            raise CommandError("There is no owner yet: make one with manage.py create_owner.")
        return first.user
