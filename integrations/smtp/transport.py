"""A plain SMTP server behind ``outreach.ports.MailTransport``, by the standard library."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from django.utils import timezone

from outreach.ports import (
    Accepted,
    NeedsAttention,
    NotSent,
    OutgoingMail,
    Rejected,
    SenderRecords,
    SendError,
    TemplateText,
    Throttled,
    TransportSettings,
    UnknownOutcome,
)

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 25.0
KNOWN_SPF = {
    ".gmail.com": "_spf.google.com",
    ".google.com": "_spf.google.com",
    ".office365.com": "spf.protection.outlook.com",
    ".outlook.com": "spf.protection.outlook.com",
    ".sendgrid.net": "sendgrid.net",
    ".mailgun.org": "mailgun.org",
    ".zoho.com": "zoho.com",
    ".zoho.eu": "zoho.eu",
    ".messagingengine.com": "spf.messagingengine.com",
}
"""What the domain's SPF record must include, by the ending of the server's name."""


class SmtpTransport:
    provider = "smtp"
    reports = False

    def __init__(self, account: TransportSettings) -> None:
        self._account = account
        self._server: smtplib.SMTP | None = None

    def send(self, mail: OutgoingMail) -> Accepted:
        """As the port says. Only the answer to the end of the data decides; what fails before it was not sent."""
        try:
            message = mime_of(mail).as_bytes(policy=SMTP)
        except ValueError as error:
            raise Rejected("A header of this mail is not valid.") from error
        server = self._connected()
        self._open_envelope(server, mail)
        try:
            code, _ = server.data(message)
        except smtplib.SMTPResponseException as error:
            self.close()
            raise _refusal(error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise UnknownOutcome(f"The mail server did not answer ({type(error).__name__}).") from error
        if code >= 400:
            self.close()
            raise _refusal(code)
        return Accepted()

    def _open_envelope(self, server: smtplib.SMTP, mail: OutgoingMail) -> None:
        try:
            for code, _ in (server.mail(mail.from_address), server.rcpt(mail.to_address)):
                if code >= 400:
                    self.close()
                    raise _refusal(code)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise NotSent("The mail server hung up before it took the mail.") from error

    def check(self) -> None:
        """Whether the server lets us in."""
        self._connected()

    def open_event_channel(self, *, events_url: str, inbound_url: str, inbound_domain: str) -> None:
        """A mail server does not report."""
        return

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None and _is_alive(self._server):
            return self._server
        self.close()
        try:
            self._server = self._open()
        except smtplib.SMTPAuthenticationError as error:
            raise NeedsAttention("The mail server refuses the user name or password.") from error
        except smtplib.SMTPNotSupportedError as error:
            raise NeedsAttention("The mail server cannot do the encryption or log-in that was chosen.") from error
        except ssl.SSLError as error:
            raise NeedsAttention("The mail server's certificate or encryption is not accepted.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent("The mail server cannot be reached.") from error
        return self._server

    def _open(self) -> smtplib.SMTP:
        account, context = self._account, ssl.create_default_context()
        server: smtplib.SMTP
        if account.security == "tls":
            server = smtplib.SMTP_SSL(account.host, account.port, timeout=CONNECT_TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(account.host, account.port, timeout=CONNECT_TIMEOUT)
        if account.security == "starttls":
            server.starttls(context=context)
        if account.username:
            server.login(account.username, str(account.credentials.get("password", "")))
        server.ehlo_or_helo_if_needed()
        if server.sock is not None:
            server.sock.settimeout(ANSWER_TIMEOUT)
        return server

    def keep_template(self, template: TemplateText, *, template_id: str) -> None:
        """A mail server keeps no templates."""
        return

    def sender_records(self, domain: str) -> SenderRecords:
        """A mail server signs and bounces under the domain itself; the great ones want to be named in its SPF record."""
        host = self._account.host.lower().rstrip(".")
        return SenderRecords(
            spf_include=next((name for ending, name in KNOWN_SPF.items() if host.endswith(ending)), "")
        )

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()


def _is_alive(server: smtplib.SMTP) -> bool:
    try:
        return server.rset()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _refusal(code: int) -> SendError:
    if code in {421, 450, 451, 452}:
        return Throttled(f"The mail server asks us to wait ({code}).", retry_after=300.0)
    if code in {530, 534, 535, 538}:
        return NeedsAttention(f"The mail server wants us to log in ({code}).")
    return Rejected(f"The mail server refuses this mail ({code}).")


def mime_of(mail: OutgoingMail) -> EmailMessage:
    """The mail with both parts. Raises ValueError for a header that spans lines."""
    message = EmailMessage(policy=SMTP)
    local, _, domain = mail.from_address.rpartition("@")
    message["From"] = Address(display_name=mail.from_name, username=local, domain=domain)
    message["To"] = mail.to_address
    message["Reply-To"] = mail.reply_to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(timezone.now())
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
