"""``manage.py create_owner EMAIL --organization NAME``: the first person of an installation, or of an organization."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from common.text import email_key
from identity.models import Membership, Organization, Role, User
from identity.scope import system_scope
from identity.services import links
from identity.services.organizations import create_organization


class Command(BaseCommand):
    help = (
        "Make EMAIL an owner of an organization, which is created when it does not exist, and print a log-in address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--organization", required=True, metavar="NAME", help="its name, or the slug of one that exists"
        )
        parser.add_argument("--name", default="", help="the person's name")
        parser.add_argument("--staff", action="store_true", help="may use the admin, for all organizations")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        email = email_key(options["email"])
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is no e-mail address.") from error
        with system_scope():
            user = self._person(email, options["name"], staff=options["staff"])
            organization = self._organization(options["organization"], user)
        self.stderr.write(f"{email} is an owner of {organization.name} ({organization.slug}).")
        self.stdout.write(settings.BASE_URL + reverse("identity:enter", args=[links.make_token(user)]))

    def _person(self, email: str, name: str, *, staff: bool) -> User:
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        user.name = name or user.name
        if staff:
            user.is_staff = user.is_superuser = True
        user.save()
        EmailAddress.objects.update_or_create(
            user=user, email=email, defaults={"verified": True}, create_defaults={"verified": True, "primary": True}
        )
        return user

    def _organization(self, name: str, user: User) -> Organization:
        organization = Organization.objects.filter(slug=name).first() or Organization.objects.filter(name=name).first()
        if organization is None:
            return create_organization(name=name, owner=user)
        Membership.objects.update_or_create(
            organization=organization, user=user, defaults={"role": Role.OWNER, "is_active": True}
        )
        return organization
