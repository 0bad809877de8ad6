"""What people do about news from accounts."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Account
from accounts.signals import renamed
from people.services import refresh_company


@receiver(renamed, dispatch_uid="people.refresh_company")
def account_was_renamed(account: Account, **_: Any) -> None:
    refresh_company(account)
