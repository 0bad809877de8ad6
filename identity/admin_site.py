"""Django's admin under the right scope: superusers see all organizations, other staff the one they work for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from identity.audit import acting_as
from identity.models import Membership, Role, User
from identity.scope import org_scope, system_scope
from identity.web import chosen_organization_id

COUNTED = 10_000
"""Lists count no further than this."""


SECRET = ("password", "token_hash", "credentials")
"""Columns that are shown on no page, whatever their model says."""


class ScopedAdminSite(AdminSite):
    site_header = site_title = "EventOps administration"
    index_title = "Everything, for whoever keeps it running"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Through the product's own log-in, with its second factor and its limits."""
        return secure_admin_login(super().login)(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff; who is no superuser must also be an admin of the organization they work for."""
        if not super().has_permission(request):
            return False
        user = cast("User", request.user)
        return user.is_superuser or _is_admin_of_chosen(request, user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner: Callable[..., HttpResponseBase] = super().admin_view(view, cacheable)

        @wraps(inner)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                return inner(request, *args, **kwargs)
            with _scope_of(request):
                response = inner(request, *args, **kwargs)
                # A template response asks the database when it is rendered, so that must happen in the scope.
                return response.render() if isinstance(response, TemplateResponse) else response

        return scoped


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows[:COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


class ReadMostlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Looks at rows. Only what stands in ``editable`` may be changed here, because services write the rest; ``hidden`` is
    shown to nobody.

    ``ordering`` should be an index: the tables are large.
    """

    editable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.opts.local_fields if field.name not in self.editable]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        hidden = {*self.hidden, *SECRET}
        return [field.name for field in self.opts.local_fields if field.name not in hidden]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@contextmanager
def _scope_of(request: HttpRequest) -> Iterator[None]:
    user = cast("User", request.user)
    acting_as(user.pk)
    organization_id = None if user.is_superuser else chosen_organization_id(request)
    with org_scope(organization_id) if organization_id else system_scope():
        yield


def _is_admin_of_chosen(request: HttpRequest, user: User) -> bool:
    organization_id = chosen_organization_id(request)
    if organization_id is None:
        return False
    with org_scope(organization_id):
        membership = Membership.objects.active().of(user).first()
    return membership is not None and membership.may(Role.ADMIN)
