from django.contrib.admin.apps import AdminConfig


class EventopsAdminConfig(AdminConfig):
    """Django's admin app with our own site as the default one."""

    default_site = "identity.admin_site.ScopedAdminSite"
