from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from identity.admin_site import ReadMostlyAdmin
from identity.models import ApiToken, IdempotencyKey, Invitation, Membership, Organization, User
from identity.scope import current_organization_id


@admin.register(User)
class UserAdmin(ReadMostlyAdmin):
    """Deactivating a person here ends their sessions and tokens with the next request."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    editable = ("name", "time_zone", "is_active", "is_staff")
    hidden = ("password",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """Staff of one organization see its people."""
        found: QuerySet[User] = super().get_queryset(request)
        organization_id = current_organization_id()
        if organization_id is None:
            return found
        return found.filter(pk__in=Membership.objects.for_org(organization_id).values("user_id"))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Only superusers change people, who may belong to other organizations too."""
        names = super().get_readonly_fields(request)
        return names if request.user.is_superuser else [*names, *self.editable]


@admin.register(Organization)
class OrganizationAdmin(ReadMostlyAdmin):
    list_display = ("name", "slug", "time_zone", "currency", "created_at")
    search_fields = ("name", "slug")
    editable = ("name", "slug", "postal_address", "time_zone", "currency")


@admin.register(Membership)
class MembershipAdmin(ReadMostlyAdmin):
    list_display = ("user", "organization", "role", "is_active")
    list_filter = ("role", "is_active")
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name")


@admin.register(Invitation)
class InvitationAdmin(ReadMostlyAdmin):
    list_display = ("email", "organization", "role", "sent_at", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("organization",)
    search_fields = ("email",)
    hidden = ("token_hash",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadMostlyAdmin):
    list_display = ("name", "prefix", "user", "organization", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user", "organization")
    search_fields = ("name", "prefix", "user__email")
    editable = ("revoked_at",)
    hidden = ("token_hash",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadMostlyAdmin):
    list_display = ("key", "organization", "user", "status", "created_at")
    list_select_related = ("organization", "user")
    hidden = ("fingerprint", "body")
