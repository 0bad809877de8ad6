from importlib import import_module

from django.apps import AppConfig


class EventopsConfig(AppConfig):
    name = "eventops"

    def ready(self) -> None:
        """Register the start-up checks and what a worker does when it starts."""
        import_module("eventops.checks")
        import_module("eventops.workers")
