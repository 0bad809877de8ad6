from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "identity"

    def ready(self) -> None:
        from identity import audit  # noqa: F401 - connects the Celery signals
        from identity.models import Role
        from identity.settings_pages import SettingsPage, register

        register(
            SettingsPage("identity:profile", "Profile", "Your name and time zone.", "user", section="You"),
            SettingsPage(
                "account_email",
                "E-mail addresses",
                "Where we reach you, and what you sign in with.",
                "mail",
                section="You",
            ),
            SettingsPage("account_change_password", "Password", "Choose a new password.", "key", section="You"),
            SettingsPage(
                "mfa_index",
                "Two-step sign-in",
                "Authenticator app, passkeys and recovery codes.",
                "shield",
                section="You",
            ),
            SettingsPage(
                "usersessions_list",
                "Sessions",
                "Where you are signed in, and signing out elsewhere.",
                "monitor",
                section="You",
            ),
            SettingsPage("identity:tokens", "API tokens", "Let a program act for you.", "key", section="You"),
            SettingsPage(
                "identity:organization",
                "Organization",
                "Name, postal address, time zone and currency.",
                "building",
                role=Role.ADMIN,
            ),
            SettingsPage(
                "identity:members", "Members", "Who belongs here and what they may do.", "people", role=Role.ADMIN
            ),
            SettingsPage(
                "identity:changes", "Changes to members", "Who changed whose role, and when.", "clock", role=Role.ADMIN
            ),
        )
