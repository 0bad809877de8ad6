"""Log-in links for whoever runs the installation: signed, single use, valid for fifteen minutes."""

from datetime import timedelta

from django.core import signing
from django.db.models import Q
from django.utils import timezone

from identity.models import User

VALID_FOR = timedelta(minutes=15)
_SALT = "identity.login_link"


class BadLink(Exception):
    """The link is damaged, used, or too old."""


def make_token(user: User) -> str:
    """Using it changes ``last_login``, which it names: so it works once."""
    return signing.dumps([str(user.pk), _moment(user)], salt=_SALT)


def find_user(token: str) -> User:
    """The person a link belongs to. Raises ``BadLink``."""
    try:
        pk, moment = signing.loads(token, salt=_SALT, max_age=VALID_FOR)
        user = User.objects.get(pk=pk, is_active=True)
    except (signing.BadSignature, ValueError, TypeError, User.DoesNotExist) as error:
        raise BadLink from error
    if _moment(user) != moment:
        raise BadLink
    return user


def use(token: str) -> User:
    """Spend the link: of two who use it at the same time one gets ``BadLink``."""
    user = find_user(token)
    before = Q(last_login=user.last_login) if user.last_login else Q(last_login__isnull=True)
    spent = User.objects.filter(before, pk=user.pk).update(last_login=timezone.now())
    if not spent:
        raise BadLink
    return user


def _moment(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
