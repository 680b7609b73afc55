"""Of the baselines that use our models: nothing around their views."""

from tests.bench.settings import *  # noqa: F403
from tests.bench.settings import DATABASES

MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.bench.bare_orders"
DATABASES["default"] |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
