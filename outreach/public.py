"""The page behind the link in every mail. Asks nobody to log in, and only a POST does anything (RFC 8058)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from identity.models import Organization
from identity.scope import org_scope, system_scope
from outreach import tokens
from outreach.addresses import masked
from outreach.models import Message, Suppression
from outreach.scopes import EVERYTHING, event_scope, sequence_scope
from outreach.suppressing import suppress


@csrf_exempt  # a mail program posts without cookies, and the signed token names exactly one address
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows buttons and changes nothing, because scanners follow links; POST stops the mails, any number of times.

    A POST that names no level, as a mail program's own button sends it, stops everything.
    """
    try:
        link = tokens.read_unsubscribe_token(token)
    except tokens.InvalidToken as error:
        raise Http404 from error
    with system_scope():
        organization = Organization.objects.filter(pk=link.organization_id).first()
    if organization is None:
        raise Http404
    with org_scope(organization.pk):
        messages = Message.objects.for_org(organization).select_related("event")
        message = messages.filter(pk=link.message_id).first()
        levels = _levels(message)
        if request.method == "POST":
            _stop(link, message, scope=levels.get(request.POST.get("level", ""), EVERYTHING))
        entries = Suppression.objects.for_org(organization).active().filter(address_hash=link.address_hash)
        refused = set(entries.values_list("scope", flat=True))
    context = {
        "organization": organization, "message": message, "stopped": EVERYTHING in refused,
        "levels": levels, "narrow": [level for level, scope in levels.items() if scope in refused],
    }  # fmt: skip
    return render(request, "outreach/unsubscribe.html", context)


def _levels(message: Message | None) -> dict[str, str]:
    """What can be stopped beside everything, while the mail of the link is known."""
    levels = {}
    if message and message.sequence_id:
        levels["sequence"] = sequence_scope(message.sequence_id)
    if message and message.event_id:
        levels["event"] = event_scope(message.event_id)
    return levels


def _stop(link: tokens.Unsubscribe, message: Message | None, *, scope: str) -> None:
    suppress(
        link.organization_id,
        address_hash=link.address_hash,
        reason=Suppression.Reason.UNSUBSCRIBED,
        source="link in a mail",
        hint=masked(message.to_address) if message else "",
        message=message,
        scope=scope,
    )
