"""Writing to people, and the doors of the mail provider."""

from tests.access.matrix import anyone

ROWS = {
    "unsubscribe": anyone(),
    "webhooks:sendgrid": anyone(),
    "webhooks:sendgrid_mailbox": anyone(),
    "webhooks:sendgrid_inbound": anyone(),
}
