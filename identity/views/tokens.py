"""API tokens: a member's own, and for admins those of everybody."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from identity.forms import TokenForm
from identity.models import ApiToken, Role
from identity.querysets import ApiTokenQuerySet
from identity.services import tokens as services
from identity.web import OrgRequest, member_required


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_required()
def tokens(request: OrgRequest) -> HttpResponse:
    """The list; posting makes one, and shows its secret this one time."""
    form = TokenForm(request.POST if request.method == "POST" else None, membership=request.membership)
    secret, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            _, secret = services.create_token(
                request.membership,
                name=form.cleaned_data["name"],
                scopes=form.chosen_scopes,
                expires_at=form.expires_at,
            )
            form, status = TokenForm(membership=request.membership), 200
    context = {
        "form": form,
        "secret": secret,
        "tokens": _visible(request).select_related("user").order_by("-created_at"),
        "sees_all": request.membership.may(Role.ADMIN),
    }
    return render(request, "identity/tokens.html", context, status=status)


@require_POST
@member_required()
def revoke_token(request: OrgRequest, pk: UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.for_org(request.organization).unrevoked(), pk=pk)
    if token.user_id != request.user.pk and not request.membership.may(Role.ADMIN):
        raise PermissionDenied("Only admins revoke the tokens of others.")
    services.revoke(token)
    messages.success(request, f"{token.name} is revoked. Whatever used it is shut out.")
    return redirect("identity:tokens")


def _visible(request: OrgRequest) -> ApiTokenQuerySet:
    found = ApiToken.objects.for_org(request.organization).unrevoked()
    return found if request.membership.may(Role.ADMIN) else found.filter(user=request.user)
