"""What gunicorn is told: gunicorn --config python:portal.webserver portal.wsgi"""

import os
from pathlib import Path
from typing import Any

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

worker_class = "gthread"
threads = 8
# Its own lines are written as the portal's: LOG_FORMAT says how, and LOG_LEVEL from which level on.
loglevel = settings.LOGGING["root"]["level"].lower()
capture_output = True  # into --error-logfile, where that is given
logconfig_dict: dict[str, Any] = {
    **settings.LOGGING,
    "loggers": {**settings.LOGGING["loggers"], "gunicorn.error": {"propagate": True}},
}


def on_starting(server: Any) -> None:
    """Forgets the times that processes noted down which are gone: each file is read at every
    scrape. Other web servers may share the folder."""
    for file in Path(settings.METRICS_DIR).glob("histogram_*.db"):
        pid = file.stem.removeprefix("histogram_")
        if pid.isdecimal() and not _lives(int(pid)):
            file.unlink(missing_ok=True)


def when_ready(server: Any) -> None:
    if server.cfg.workers > 1 and settings.CACHES["default"]["BACKEND"].endswith(".LocMemCache"):
        server.log.warning(
            "%d processes, and no CACHE_URL: each counts a partner's calls for itself",
            server.cfg.workers,
        )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's
    return True
