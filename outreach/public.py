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
from outreach.suppressing import suppress


@csrf_exempt  # a mail program posts without cookies, and the signed token names exactly one address
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and changes nothing, because scanners follow links; POST stops the mails, any number of times."""
    try:
        link = tokens.read_unsubscribe_token(token)
    except tokens.InvalidToken as error:
        raise Http404 from error
    with system_scope():
        organization = Organization.objects.filter(pk=link.organization_id).first()
    if organization is None:
        raise Http404
    if request.method == "POST":
        _stop(link)
    with org_scope(organization.pk):
        stopped = Suppression.objects.for_org(organization).of([link.address_hash]).exists()
    return render(request, "outreach/unsubscribe.html", {"organization": organization, "stopped": stopped})


def _stop(link: tokens.Unsubscribe) -> None:
    with org_scope(link.organization_id):
        message = Message.objects.for_org(link.organization_id).filter(pk=link.message_id).first()
        suppress(
            link.organization_id,
            address_hash=link.address_hash,
            reason=Suppression.Reason.UNSUBSCRIBED,
            source="link in a mail",
            hint=masked(message.to_address) if message else "",
            message=message,
        )
