from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"

    def ready(self) -> None:
        from outreach import exports, receivers, registrations  # noqa: F401 - they listen, and fill pages of lower apps
