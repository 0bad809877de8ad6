"""Members and invitations of the organization."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from common.limits import seconds_to_wait
from identity.forms import InviteForm, RoleForm, roles_given_by
from identity.models import Invitation, Membership, Role
from identity.services import invitations
from identity.services import members as services
from identity.web import OrgRequest, member_required

LAST_OWNER = "An organization needs an owner. Make somebody else an owner first."
INVITATIONS = "60/hour"
"""For one organization, so that nobody uses us to write to strangers."""
NOT_ALLOWED = "Only an owner can change owners, and nobody can lock themselves out."


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.ADMIN)
def members(request: OrgRequest) -> HttpResponse:
    """The list; posting invites somebody."""
    form = InviteForm(request.POST if request.method == "POST" else None, actor=request.membership)
    if request.method == "POST" and form.is_valid() and _invite(request, form):
        messages.success(request, f"An invitation is on its way to {form.cleaned_data['email']}.")
        return redirect("identity:members")
    context = {
        "form": form,
        "members": Membership.objects.for_org(request.organization)
        .select_related("user")
        .order_by("-is_active", "user__name", "user__email"),
        "invitations": Invitation.objects.for_org(request.organization)
        .pending()
        .select_related("invited_by")
        .order_by("-created_at"),
        "roles": roles_given_by(request.membership),
    }
    return render(request, "identity/members.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@member_required(role=Role.ADMIN)
def change_role(request: OrgRequest, pk: UUID) -> HttpResponse:
    membership = get_object_or_404(Membership.objects.for_org(request.organization), pk=pk)
    form = RoleForm(request.POST, actor=request.membership)
    if not form.is_valid():
        messages.error(request, "Choose a role.")
        return redirect("identity:members")
    try:
        services.change_role(membership, role=Role(form.cleaned_data["role"]), actor=request.membership)
    except services.LastOwner:
        messages.error(request, LAST_OWNER)
    except services.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        messages.success(request, "The role is changed.")
    return redirect("identity:members")


@require_POST
@member_required(role=Role.ADMIN)
def deactivate(request: OrgRequest, pk: UUID) -> HttpResponse:
    membership = get_object_or_404(Membership.objects.for_org(request.organization).select_related("user"), pk=pk)
    try:
        services.deactivate(membership, actor=request.membership)
    except services.LastOwner:
        messages.error(request, LAST_OWNER)
    except services.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        messages.success(request, f"{membership.user} can no longer sign in here. Their API tokens are revoked.")
    return redirect("identity:members")


@require_POST
@member_required(role=Role.ADMIN)
def reactivate(request: OrgRequest, pk: UUID) -> HttpResponse:
    membership = get_object_or_404(Membership.objects.for_org(request.organization).select_related("user"), pk=pk)
    try:
        services.reactivate(membership, actor=request.membership)
    except services.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    else:
        messages.success(request, f"{membership.user} can sign in again.")
    return redirect("identity:members")


@require_POST
@member_required(role=Role.ADMIN)
def resend_invitation(request: OrgRequest, pk: UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.for_org(request.organization).pending(), pk=pk)
    if minutes := _minutes_to_wait(request):
        messages.error(request, f"That is a lot of invitations. Wait {minutes} minutes, then send this one again.")
        return redirect("identity:members")
    invitations.resend(invitation)
    messages.success(request, f"A new link is on its way to {invitation.email}; the old one no longer works.")
    return redirect("identity:members")


@require_POST
@member_required(role=Role.ADMIN)
def revoke_invitation(request: OrgRequest, pk: UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.for_org(request.organization).pending(), pk=pk)
    invitations.revoke(invitation)
    messages.success(request, f"The invitation of {invitation.email} no longer works.")
    return redirect("identity:members")


def _minutes_to_wait(request: OrgRequest) -> int:
    return -(-seconds_to_wait(INVITATIONS, "invitations", str(request.organization.pk)) // 60)


def _invite(request: OrgRequest, form: InviteForm) -> bool:
    if minutes := _minutes_to_wait(request):
        form.add_error(None, f"That is a lot of invitations. Wait {minutes} minutes, then invite the next person.")
        return False
    try:
        invitations.invite(
            request.organization,
            email=form.cleaned_data["email"],
            role=Role(form.cleaned_data["role"]),
            actor=request.membership,
        )
    except invitations.AlreadyMember:
        form.add_error("email", "This person is a member already.")
        return False
    return True
