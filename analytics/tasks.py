from celery import shared_task

from analytics import folding


@shared_task(name="analytics.fold", acks_late=True)
def fold() -> None:
    folding.fold()


@shared_task(name="analytics.tidy", acks_late=True)
def tidy() -> None:
    folding.tidy()
