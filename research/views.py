"""The scoring page: rules that show their effect while they are edited, and the tiers they propose."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.models import TargetAccount
from events.web import EventRequest
from identity.models import Role
from identity.web import member_required
from research import panels, services
from research.forms import RulesForm
from research.models import ScoringRun, Subject
from research.preview import Preview, preview
from research.rules import RuleSet


@require_GET
@member_required(role=Role.VIEWER)
def rules(request: EventRequest) -> HttpResponse:
    current = services.current_rules(request.organization.pk)
    shown = _preview(request, current)
    if request.membership.may(Role.MANAGER):
        return _page(request, RulesForm.of(current), shown)
    plain = [(subject, title, current.of(subject)) for subject, title in Subject.choices]
    context = {"plain_rules": plain, "thresholds": current.thresholds, "preview": shown, **_frame(request)}
    return render(request, "research/rules.html", context)


@require_POST
@member_required(role=Role.MANAGER)
def edit(request: EventRequest) -> HttpResponse:
    """Every button of the form comes here: ``do`` says whether to save, to look, or to change the rows."""
    action = request.POST.get("do", "look")
    if action == "save":
        return _save(request)
    form = RulesForm.posted(request.POST)
    if action != "look":
        form = RulesForm.posted(request.POST, bind=False)
        form.change(action)
        draft = RulesForm.posted(request.POST)
        draft.rows = [row for row in draft.rows if row.prefix in {kept.prefix for kept in form.rows}]
        return _page(request, form, _preview(request, draft.rules()) if draft.is_valid() else None)
    valid = form.is_valid()
    return _page(request, form, _preview(request, form.rules()) if valid else None, status=200 if valid else 422)


def _save(request: EventRequest) -> HttpResponse:
    form = RulesForm.posted(request.POST)
    if not form.is_valid():
        form.error = "Nothing was saved yet: some rules need a correction, marked below."
        return _page(request, form, None, status=422)
    wanted = form.rules()
    try:
        run = services.save_rules(
            request.organization,
            rules=wanted.rules,
            thresholds=wanted.thresholds,
            version=form.version,
            actor=request.user,
        )
    except services.RulesHaveChanged:
        form.error = (
            "Somebody else saved other rules in the meantime, so yours were not saved. Open this page again in a second "
            "tab to see theirs; what you typed stays here until you leave."
        )
        return _page(request, form, _preview(request, wanted), status=409)
    messages.success(request, f"Rules saved. Scoring {run.total:,} accounts and people in the background.")
    return redirect("research:rules")


@require_GET
@member_required(role=Role.VIEWER)
def progress(request: EventRequest) -> HttpResponse:
    """How far the latest run is, for the page to poll; 286 tells htmx to stop."""
    run = _latest_run(request)
    over = run is None or not run.is_active
    return render(request, "research/rules.html#run", _frame(request), status=286 if over else 200)


@require_POST
@member_required(role=Role.MANAGER)
def rescore(request: EventRequest) -> HttpResponse:
    services.request_run(request.organization.pk, cause="Asked for", actor_id=request.user.pk)
    return redirect("research:rules")


@require_POST
@member_required(role=Role.REP)
def accept(request: EventRequest) -> HttpResponse:
    """Give the accounts of the chosen show the tiers their scores propose."""
    replace = request.POST.get("replace") == "1"
    count = services.accept_tiers(request.event, actor=request.user, replace=replace) if request.event else 0
    messages.success(request, f"{count:,} {'account has' if count == 1 else 'accounts have'} the proposed tier now.")
    return redirect("research:rules")


@require_POST
@member_required(role=Role.REP)
def accept_one(request: EventRequest, pk: Any) -> HttpResponse:
    target = get_object_or_404(TargetAccount.objects.for_org(request.organization).select_related("account"), pk=pk)
    services.accept_tier(target, actor=request.user)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("research:rules")
    if request.htmx:
        return render(request, panels.TEMPLATE, {**panels.score_of_target(request, target)})
    messages.success(request, f"{target.account.name} is tier {target.tier} now.")
    return redirect(back)


# --- What the templates need ------------------------------------------------------------------------------------------


def _page(request: EventRequest, form: RulesForm, shown: Preview | None, status: int = 200) -> HttpResponse:
    """The whole page, the editor with its preview, or the preview alone: whatever htmx asked to replace."""
    context = {"form": form, "preview": shown, "may_edit": True, **_frame(request)}
    part = {"editor": "#editor", "preview": "#preview"}.get(request.htmx.target or "", "")
    return render(request, f"research/rules.html{part}", context, status=status)


def _frame(request: EventRequest) -> dict[str, Any]:
    return {
        "run": _latest_run(request),
        "targets": TargetAccount.objects.for_org(request.organization).count(),
        "proposals": services.proposals(request.event) if request.event else None,
        "may_accept": request.membership.may(Role.REP),
    }


def _latest_run(request: EventRequest) -> ScoringRun | None:
    runs = ScoringRun.objects.for_org(request.organization)
    return runs.select_related("requested_by").order_by("-created_at").first()


def _preview(request: EventRequest, rules: RuleSet) -> Preview:
    return preview(request.organization.pk, request.event, rules)
