from django.apps import AppConfig


class SequencesConfig(AppConfig):
    name = "sequences"

    def ready(self) -> None:
        from sequences import receivers, registrations  # noqa: F401 - connects them
