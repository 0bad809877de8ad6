"""Keep scores true while accounts and people change: a few at once, many by a run."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import facts_changed as account_facts_changed
from common.happenings import Happening, Kind, happened
from people.signals import facts_changed as person_facts_changed
from research import services

_ACCOUNTS = {Kind.ACCOUNT_CREATED, Kind.ACCOUNT_UPDATED}
_PEOPLE = {Kind.PERSON_CREATED, Kind.PERSON_UPDATED}
_CAUSES = {Kind.LIST_IMPORTED: "A list was imported", Kind.IMPORT_UNDONE: "The import of a list was taken back"}


@receiver(happened, dispatch_uid="research.rescore")
def rescore(happenings: Sequence[Happening], **_: Any) -> None:
    by_organization: dict[UUID, list[Happening]] = defaultdict(list)
    for happening in happenings:
        if happening.kind in _ACCOUNTS | _PEOPLE or happening.kind in _CAUSES:
            by_organization[happening.organization_id].append(happening)
    for organization_id, news in by_organization.items():
        _rescore(organization_id, news)


def _rescore(organization_id: UUID, news: Sequence[Happening]) -> None:
    actor_id = news[0].actor_id
    accounts = {h.account_id for h in news if h.kind in _ACCOUNTS and h.account_id}
    people = {h.person_id for h in news if h.kind in _PEOPLE and h.person_id}
    unnamed = any(
        not (h.account_id if h.kind in _ACCOUNTS else h.person_id if h.kind in _PEOPLE else None) for h in news
    )
    if unnamed or len(accounts) + len(people) > services.AT_ONCE:
        cause = next((_CAUSES[h.kind] for h in news if h.kind in _CAUSES), "Accounts or people were changed")
        services.request_run(organization_id, cause=cause, actor_id=actor_id)
        return
    if accounts:
        services.score_accounts(organization_id, accounts, actor_id=actor_id)
    if people:
        services.score_people(organization_id, people, actor_id=actor_id)


@receiver(account_facts_changed, dispatch_uid="research.account_facts")
def rescore_accounts(organization_id: UUID, ids: Sequence[UUID], **_: Any) -> None:
    _few_or_all(services.score_accounts, organization_id, ids)


@receiver(person_facts_changed, dispatch_uid="research.person_facts")
def rescore_people(organization_id: UUID, ids: Sequence[UUID], **_: Any) -> None:
    _few_or_all(services.score_people, organization_id, ids)


def _few_or_all(score: Callable[..., Any], organization_id: UUID, ids: Sequence[UUID]) -> None:
    if len(ids) > services.AT_ONCE:
        services.request_run(organization_id, cause="Tags were changed", actor_id=None)
    elif ids:
        score(organization_id, ids, actor_id=None)
