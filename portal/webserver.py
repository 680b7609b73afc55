"""What gunicorn is told: gunicorn --config python:portal.webserver portal.wsgi"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

worker_class = "gthread"
threads = 8


def on_starting(server: Any) -> None:
    """The times that earlier processes noted down; each would be read at every scrape."""
    for file in Path(settings.METRICS_DIR).glob("*.db"):
        file.unlink(missing_ok=True)
