"""How log-in and sign-up behave here: allauth asks these."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.http import Http404, HttpRequest


def may_sign_up() -> bool:
    """Whether people may make accounts by themselves: ``EVENTOPS_SIGNUP`` is ``open`` or ``domains``."""
    return bool(settings.EVENTOPS_SIGNUP != "invite")


def address_may_sign_up(email: str) -> bool:
    if settings.EVENTOPS_SIGNUP != "domains":
        return may_sign_up()
    return email.rpartition("@")[2].lower() in settings.EVENTOPS_SIGNUP_DOMAINS


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return may_sign_up()


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Google and Microsoft make no account that a form would have refused."""
        addresses = [address.email for address in sociallogin.email_addresses] or [sociallogin.user.email or ""]
        return may_sign_up() and all(address_may_sign_up(address) for address in addresses)

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """A provider that nobody configured has no log-in page."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist:
            raise Http404("Not found") from None
