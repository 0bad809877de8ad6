"""What gunicorn serves. Refuses to start where organizations' data would not be safe."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventops.settings")
application = get_wsgi_application()

from eventops.checks import refuse_unsafe_start  # noqa: E402 - needs the apps to be loaded

refuse_unsafe_start()

# Every page and the API, before workers are forked from this process: they share the memory, and no first request waits.
import_module(settings.ROOT_URLCONF)
