from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"

    def ready(self) -> None:
        from outreach import exports, registrations  # noqa: F401 - fills the pages and the export of lower apps
