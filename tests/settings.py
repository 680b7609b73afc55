"""The portal's settings, told what the environment would say."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "tests-secret-and-theirs-only-0123456789abcdefghijklmnop")
os.environ.setdefault("CREDENTIAL_KEYS", "xN0rJvhk1zq2bq0m0wYw0w7Q0Vw0n3dX0m6m0t5u8gE=")
os.environ.setdefault("ALLOW_PRIVATE_ADDRESSES", "true")
os.environ.setdefault("SECURE_COOKIES", "false")
os.environ.setdefault("REQUIRE_STAFF_2FA", "false")
os.environ.setdefault("METRICS_DIR", f"{tempfile.gettempdir()}/tomada-tests-metrics")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from portal.settings import *  # noqa: F403
from portal.settings import DATA_DIR, DATABASES

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # In a file: threads that share a database in memory do not wait for each other, they fail.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}
    # No test cuts the power: nobody waits for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each test's client would look through all static files anew.
WHITENOISE_AUTOREFRESH = True
