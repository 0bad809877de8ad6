"""Reusable mails: the wording, each version of it, and the copies a provider keeps."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from common.models import TenantForeignKey, TenantModel
from common.querysets import TenantQuerySet
from identity.models import User
from outreach.mailbox_models import Mailbox


class TemplateQuerySet(TenantQuerySet["Template"]):
    def in_use(self) -> Self:
        return self.filter(archived_at=None)


class Template(TenantModel):
    """A reusable mail with merge fields (``outreach.merging``). ``version`` counts its saved wordings."""

    name = models.CharField(max_length=120)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    source = models.TextField(
        blank=True, default="", db_default="", help_text="The text as it was written, where snippets stand in it."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TemplateQuerySet.as_manager()  # type: ignore[misc]  # a cycle of modules hides it from the plugin

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], condition=Q(archived_at=None), name="template_name_once"
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(subject="") & ~Q(body=""), name="template_complete"),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(TenantModel):
    """What a template said at one version; a message names the version it was written from."""

    template = TenantForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=300)
    body = models.TextField()
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="templateversion_once")]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class Snippet(TenantModel):
    """Words that stand in many templates (``outreach.snippets``)."""

    name = models.CharField(max_length=40, help_text="Small letters, digits and underscores.")
    text = models.TextField(max_length=10_000)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="snippet_name_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(text=""), name="snippet_complete"),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateCopy(TenantModel):
    """A template as the provider of a mailbox keeps it: under which ids, and which of our versions it was last given."""

    template = TenantForeignKey(Template, on_delete=models.CASCADE, related_name="copies", db_index=False)
    mailbox = TenantForeignKey(Mailbox, on_delete=models.CASCADE, related_name="template_copies")
    provider_template_id = models.CharField(max_length=100, blank=True)
    provider_version_id = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "mailbox"], name="templatecopy_once_per_mailbox")]

    def __str__(self) -> str:
        return self.provider_template_id
