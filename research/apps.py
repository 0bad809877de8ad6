from django.apps import AppConfig


class ResearchConfig(AppConfig):
    name = "research"

    def ready(self) -> None:
        from identity.settings_pages import SettingsPage, register
        from research import panels, receivers  # noqa: F401 - the one registers panels, the other connects receivers

        register(
            SettingsPage(
                "research:rules",
                "Scoring",
                "Which companies and people are worth the time, and from which score on they are tier A.",
                "target",
                section="Work",
            )
        )
