from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import registrations  # noqa: F401 - says what can be done with many accounts
