"""The settings home, and what a person says about themselves and their organization."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from identity.forms import OrganizationForm, ProfileForm
from identity.history import recent_changes
from identity.models import Membership, Role
from identity.settings_pages import sections_for
from identity.web import OrgRequest, member_required


@require_safe
@member_required()
def home(request: OrgRequest) -> HttpResponse:
    return render(request, "identity/settings.html", {"sections": sections_for(request.membership)})


@require_http_methods(["GET", "HEAD", "POST"])
@member_required()
def profile(request: OrgRequest) -> HttpResponse:
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("identity:profile")
    return render(request, "identity/profile.html", {"form": form}, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required(role=Role.ADMIN)
def organization(request: OrgRequest) -> HttpResponse:
    form = OrganizationForm(request.POST if request.method == "POST" else None, instance=request.organization)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The organization is saved.")
        return redirect("identity:organization")
    context = {"form": form}
    return render(request, "identity/organization.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@member_required(role=Role.ADMIN)
def changes(request: OrgRequest) -> HttpResponse:
    """Who changed whose role or access."""
    found = recent_changes(Membership, request.organization)
    members = Membership.objects.for_org(request.organization).select_related("user").in_bulk()
    rows = [(change, members.get(change.subject_id)) for change in found]
    return render(request, "identity/changes.html", {"rows": rows})
