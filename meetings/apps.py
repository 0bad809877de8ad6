from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    name = "meetings"

    def ready(self) -> None:
        from meetings import exports, panels  # noqa: F401 - exports says how meetings leave the house

        panels.register()
