from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    name = "activities"

    def ready(self) -> None:
        from activities import receivers, registrations  # noqa: F401 - connects the receivers, fills the detail pages
