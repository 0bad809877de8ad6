"""Background work of the people app: three lines each, the logic is next door."""

from uuid import UUID

from celery import shared_task

from people import mail_domains
from people.importing import running


@shared_task(name="people.work_on_import", acks_late=True)
def work_on_import(import_id: str) -> None:
    if not running.work(UUID(import_id)):
        work_on_import.delay(import_id)


@shared_task(name="people.sweep_imports")
def sweep_imports() -> None:
    for import_id in running.waiting():
        work_on_import.delay(str(import_id))


@shared_task(name="people.ask_mail_domains")
def ask_mail_domains() -> None:
    mail_domains.notice()
    mail_domains.ask(seconds=40.0)
