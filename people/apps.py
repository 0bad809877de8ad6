from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"

    def ready(self) -> None:
        from people import receivers, registrations  # noqa: F401 - connects the receivers, fills the account's page
