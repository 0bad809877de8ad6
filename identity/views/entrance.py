"""Ways in: the first organization, choosing one, invitations, and log-in links."""

from typing import cast

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from common.limits import limited
from identity.adapter import may_sign_up
from identity.forms import JoinForm, WelcomeForm
from identity.models import Invitation, Organization, User
from identity.scope import system_scope
from identity.services import invitations, links, organizations
from identity.web import SESSION_KEY, ask_to_log_in, person_required


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def welcome(request: HttpRequest) -> HttpResponse:
    """Make the first organization, or join one that waits."""
    user = cast("User", request.user)
    waiting, may_create = invitations.waiting_for(user), _may_create_organization(user)
    initial = {"your_name": user.name, "time_zone": user.time_zone, "currency": "USD"}
    form = WelcomeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and may_create and form.is_valid():
        if form.cleaned_data["your_name"] != user.name or user.time_zone != form.cleaned_data["time_zone"]:
            user.name, user.time_zone = form.cleaned_data["your_name"], form.cleaned_data["time_zone"]
            user.save(update_fields=["name", "time_zone"])
        organization = organizations.create_organization(
            name=form.cleaned_data["name"],
            owner=user,
            time_zone=form.cleaned_data["time_zone"],
            currency=form.cleaned_data["currency"],
        )
        return _enter(request, organization)
    context = {"form": form, "waiting": waiting, "may_create": may_create}
    return render(request, "identity/welcome.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@person_required
def choose(request: HttpRequest) -> HttpResponse:
    """Work for another organization."""
    user = cast("User", request.user)
    memberships = organizations.memberships_of(user)
    if request.method == "POST":
        wanted = request.POST.get("organization", "")
        chosen = next((m for m in memberships if str(m.organization_id) == wanted), None)
        if chosen:
            return _enter(request, chosen.organization)
        messages.error(request, "You do not belong to that organization any more.")
    if not memberships:
        return redirect("identity:welcome")
    context = {
        "memberships": memberships,
        "waiting": invitations.waiting_for(user),
        "may_create": _may_create_organization(user),
        "current": request.session.get(SESSION_KEY, ""),
    }
    return render(request, "identity/choose.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@person_required
def join(request: HttpRequest) -> HttpResponse:
    """Accept an invitation to a confirmed address, without the mail."""
    user = cast("User", request.user)
    wanted = request.POST.get("invitation", "")
    found = next((i for i in invitations.waiting_for(user) if str(i.pk) == wanted), None)
    if found is None:
        messages.error(request, "That invitation is not open any more. Ask for a new one.")
        return redirect("identity:choose")
    return _accept(request, found, has_link=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited()
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """What the link in the mail opens."""
    found = invitations.find(secret)
    if found is None or not found.is_open:
        return render(request, "identity/invitation_closed.html", status=410)
    if request.user.is_authenticated:
        if request.method == "POST":
            return _accept(request, found, has_link=True)
        return render(request, "identity/invitation.html", {"invitation": found})
    if User.objects.filter(email=found.email).exists():
        return ask_to_log_in(request)
    return _sign_up(request, found)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("20/minute")
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """A log-in link from ``manage.py login_link``: the page asks, the button spends it."""
    try:
        user = links.use(token) if request.method == "POST" else links.find_user(token)
    except links.BadLink:
        return render(request, "identity/enter_closed.html", status=410)
    if request.method == "POST":
        get_adapter().login(request, user)
        return redirect("/")
    return render(request, "identity/enter.html", {"person": user})


def _sign_up(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None, email=found.email)
    if request.method == "POST" and form.is_valid():
        try:
            user = invitations.sign_up_and_accept(
                found, name=form.cleaned_data["name"], password=form.cleaned_data["password"]
            )
        except (invitations.Closed, invitations.SomebodyElse):
            return render(request, "identity/invitation_closed.html", status=410)
        get_adapter().login(request, user)
        return _enter(request, found.organization)
    context = {"invitation": found, "form": form}
    return render(request, "identity/invitation.html", context, status=422 if request.method == "POST" else 200)


def _accept(request: HttpRequest, found: Invitation, *, has_link: bool) -> HttpResponse:
    try:
        invitations.accept(found, user=cast("User", request.user), has_link=has_link)
    except invitations.Closed:
        return render(request, "identity/invitation_closed.html", status=410)
    except invitations.SomebodyElse:
        context = {"invitation": found, "somebody_else": True}
        return render(request, "identity/invitation.html", context, status=403)
    return _enter(request, found.organization)


def _enter(request: HttpRequest, organization: Organization) -> HttpResponse:
    request.session[SESSION_KEY] = str(organization.pk)
    messages.success(request, f"You are working for {organization.name}.")
    return redirect("/")


def _may_create_organization(user: User) -> bool:
    """With sign-up by invitation only, just the first organization is made by hand."""
    if may_sign_up() or user.is_superuser:
        return True
    with system_scope():
        return not Organization.objects.exists()
