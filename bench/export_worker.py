"""One export of all people of a show in a process of its own, as a web worker does it: ``python -m bench.export_worker``.

Prints one JSON line: seconds to the first row, seconds in all, bytes, and in MB the most memory the process has held
and what of that the export added to a worker that had answered requests before.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

import django

from bench.registry import peak_rss_mb


def main() -> int:
    event, email = sys.argv[1:3]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventops.settings")
    django.setup()
    logging.disable(logging.INFO)
    from django.test import Client

    from identity.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=email), backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get("/people/")
    client.get(f"/api/export/people/stream?eventId={event}").close()
    before = peak_rss_mb()
    size, first = 0, 0.0
    with open(os.devnull, "wb") as sink:
        begun = time.perf_counter()
        response = client.get(f"/api/export/people/stream?eventId={event}")
        assert response.status_code == 200, response.status_code
        for number, block in enumerate(getattr(response, "streaming_content")):  # noqa: B009
            if number == 1:  # the block after the header line holds the first rows
                first = time.perf_counter() - begun
            size += sink.write(block)
        taken = time.perf_counter() - begun
    print(
        json.dumps(
            {"first": first, "seconds": taken, "bytes": size, "rss": peak_rss_mb(), "added": peak_rss_mb() - before}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
