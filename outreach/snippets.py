"""Named pieces of text that stand in many mails: ``{{ snippet where_to_find_us }}``.

They are put in when a text is saved, not when a mail is sent: what a template's version says is then all that was ever
sent from it. A snippet that changes gives every template with it a new version (``services.snippets``). The words of a
snippet may hold merge fields and choices, and no other snippet.
"""

from __future__ import annotations

import re

from identity.models import Organization
from outreach import merging
from outreach.models import Snippet

LONGEST_BODY = 50_000
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAG = re.compile(r"\{\{[ \t]*snippet[ \t]+(?P<name>[a-z][a-z0-9_]{0,39})[ \t]*\}\}")


def names_in(text: str) -> list[str]:
    """The snippets a text asks for, in order, each once."""
    return list(dict.fromkeys(_TAG.findall(text)))


def expand(organization: Organization | None, text: str) -> str:
    """The text with the words of its snippets. Raises InvalidTemplate for one that is not there."""
    names = names_in(text)
    if not names or organization is None:
        return text
    words = dict(Snippet.objects.for_org(organization).filter(name__in=names).values_list("name", "text"))
    missing = [f"There is no snippet “{name}”." for name in names if name not in words]
    if missing:
        raise merging.InvalidTemplate(missing)
    done = _TAG.sub(lambda match: words[match["name"]], text)
    if len(done) > LONGEST_BODY:
        raise merging.InvalidTemplate([f"With its snippets the text is longer than {LONGEST_BODY:,} characters."])
    return done
