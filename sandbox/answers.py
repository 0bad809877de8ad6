"""A typical mail of every kind that comes back, as the recipient's mail program or mail server would write it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email import message_from_string
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid

from sandbox.world import Mail

DAY = 86_400


@dataclass(frozen=True)
class Answer:
    """What the button says and the mail's words; ``{date}`` is ten days from now, ``{domain}`` the recipient's."""

    label: str
    words: str
    subject: str = "Re: {subject}"
    is_automatic: bool = False


ANSWERS = {
    "interested": Answer("Interested", "Yes, gladly. Shall we meet at your booth on the first day at 10?"),
    "question": Answer("Question", "What does the system cost for two lines?"),
    "referral": Answer(
        "Referral", "I am not the right person for this. Please write to my colleague bob.miller@{domain}."
    ),
    "not_now": Answer("Not now", "Not now, please contact me again on {date}."),
    "opt_out": Answer("Asks to stop", "Please remove me from your list."),
    "out_of_office": Answer(
        "Out of the office",
        "I am out of the office and will be back on {date}. I cannot read my mails until then.",
        "Automatic reply: {subject}",
        is_automatic=True,
    ),
    "auto_reply": Answer(
        "Automatic",
        "Thank you for your message. We have received your request. Ticket 4711.",
        "Automatic reply: {subject}",
        is_automatic=True,
    ),
    "other": Answer("Other", "Noted."),
}
REPORTS = {
    "bounce_hard": ("Does not exist", "5.1.1", "550 5.1.1 user unknown"),
    "bounce_soft": ("Not delivered for now", "4.2.2", "452 4.2.2 mailbox full"),
}
KINDS = {name: answer.label for name, answer in ANSWERS.items()} | {name: told[0] for name, told in REPORTS.items()}


def compose(mail: Mail, kind: str) -> Message:
    """The mail of this kind that answers ``mail``."""
    answer: Message = _report(mail, kind) if kind in REPORTS else _words(mail, ANSWERS[kind])
    answer["To"] = mail.reply_to
    answer["Date"] = formatdate()
    answer["Message-ID"] = make_msgid(domain=_domain(mail))
    answer["In-Reply-To"] = mail.message_id
    answer["References"] = mail.message_id
    return answer


def _words(mail: Mail, answer: Answer) -> EmailMessage:
    message = EmailMessage()
    message["From"] = mail.to
    message["Subject"] = answer.subject.format(subject=mail.subject)
    if answer.is_automatic:
        message["Auto-Submitted"] = "auto-replied"
    back = time.strftime("%-d %B %Y", time.gmtime(time.time() + 10 * DAY))
    quoted = "\n".join(f"> {line}" for line in mail.text.splitlines()[:6])
    words = answer.words.format(date=back, domain=_domain(mail))
    message.set_content(f"{words}\n\nOn {formatdate()}, {mail.sender} wrote:\n{quoted}\n")
    return message


def _report(mail: Mail, kind: str) -> MIMEMultipart:
    """A delivery status notification (RFC 3464)."""
    _, status, diagnosis = REPORTS[kind]
    message = MIMEMultipart("report", report_type="delivery-status")
    message["From"] = f"Mail Delivery System <mailer-daemon@{_domain(mail)}>"
    message["Subject"] = "Undelivered Mail Returned to Sender"
    message["Auto-Submitted"] = "auto-replied"
    message.attach(MIMEText(f"Your mail could not be delivered.\n{mail.to}: {diagnosis}\n"))
    action = "failed" if status.startswith("5") else "delayed"
    told = MIMENonMultipart("message", "delivery-status")
    told.set_payload(
        [
            message_from_string(f"Reporting-MTA: dns; mx.{_domain(mail)}\n\n"),
            message_from_string(
                f"Final-Recipient: rfc822; {mail.to}\nAction: {action}\nStatus: {status}\n"
                f"Diagnostic-Code: smtp; {diagnosis}\n\n"
            ),
        ]
    )
    message.attach(told)
    return message


def _domain(mail: Mail) -> str:
    return mail.to.rpartition("@")[2]
