from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from analytics import panels, receivers  # noqa: F401 - connects the receivers

        panels.register()
