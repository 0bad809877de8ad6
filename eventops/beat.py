"""The clock of background work: django-celery-beat, of which only one ticks however many are started."""

from __future__ import annotations

from typing import Any

import psycopg
import structlog
from django.db import connection
from django_celery_beat.schedulers import DatabaseScheduler

from eventops.workers import end_unsafe_start

log = structlog.get_logger(__name__)

LOCK_KEY = 0x0E_7E_07_05  # any number, the same in every beat
STANDBY_SECONDS = 5.0


class SoleScheduler(DatabaseScheduler):  # type: ignore[misc]  # the package has no types
    """Ticks only while this process holds a Postgres advisory lock; a second beat stands by and takes over."""

    _session: psycopg.Connection[Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        end_unsafe_start()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Seconds until the next tick."""
        if not self._holds_lock():
            return STANDBY_SECONDS
        return float(super().tick(*args, **kwargs))

    def close(self) -> None:
        """Leave the lock to the next one."""
        super().close()
        if self._session is not None:
            self._session.close()

    def _holds_lock(self) -> bool:
        """The lock belongs to a session of its own, so it is lost exactly when that session is."""
        try:
            if self._session is not None:
                self._session.execute("SELECT 1")
                return True
            session = psycopg.connect(
                **_parameters(), autocommit=True, connect_timeout=5, application_name="eventops-beat"
            )
        except psycopg.Error as error:
            log.warning("beat.database_away", error=type(error).__name__)
            self._session = None
            return False
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
        if row is None or not row[0]:
            session.close()
            return False
        log.info("beat.ticking")
        self._session = session
        return True


def _parameters() -> dict[str, Any]:
    wanted = {"dbname", "user", "password", "host", "port", "sslmode", "sslrootcert"}
    return {name: value for name, value in connection.get_connection_params().items() if name in wanted}
