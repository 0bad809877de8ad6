from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from integrations.sendgrid.transport import SendGridTransport
        from integrations.smtp.transport import SmtpTransport
        from outreach.ports import register_transport

        register_transport("sendgrid", SendGridTransport)
        register_transport("smtp", SmtpTransport)
