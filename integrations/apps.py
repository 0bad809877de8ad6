from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from common.dns import register_resolver
        from integrations.dns.resolver import DnsResolver
        from integrations.sendgrid.transport import SendGridTransport
        from integrations.smtp.transport import SmtpTransport
        from outreach.ports import register_transport

        register_resolver(DnsResolver)
        register_transport("sendgrid", SendGridTransport)
        register_transport("smtp", SmtpTransport)
