from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"

    def ready(self) -> None:
        from outreach import registrations  # noqa: F401 - fills the pages of lower apps
