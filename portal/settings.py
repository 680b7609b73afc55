"""Every setting, read once from the environment (or from the file that ENV_FILE names)."""

from pathlib import Path
from typing import Any

import environ
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

# -- Secrets: none has a default ----------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
# Fernet keys that seal the credentials we must present to platforms; the first one seals, all open.
CREDENTIAL_KEYS: list[str] = env.list("CREDENTIAL_KEYS")

# -- Where we are reached -----------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Addresses that people typed must not lead into our own network. Only the demo and the tests,
# whose platforms run on this machine, allow it.
ALLOW_PRIVATE_ADDRESSES = env.bool("ALLOW_PRIVATE_ADDRESSES", default=False)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "portal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_q",
    "connectors",
    "catalog",
    "orders",
    "portal.apps.PortalConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.language.ChosenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
# The hub API answers both spellings itself; a redirect would turn a POST into a GET.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# -- Database -----------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'tomada.sqlite3'}")
}
# A worker that opens a connection per task is ten times slower.
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        # Readers do not block the writer; a committed row survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        # A transaction that begins as a reader and then writes fails at once instead of waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- People -------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "orders"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=not DEBUG)

LANGUAGE_CODE = "pt-br"
LANGUAGES = [("pt-br", _("Português")), ("en", _("Inglês"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_TZ = True  # stored in UTC; shown in:
TIME_ZONE = "America/Sao_Paulo"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the few files are served from where they lie; nothing to collect

# -- The hub API --------------------------------------------------------------------------------
# The frame is set here, and not in the views, because catalog and orders may not import portal.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsing.HubParser"],
    "DEFAULT_PAGINATION_CLASS": "portal.api.paging.HubPagination",
    "EXCEPTION_HANDLER": "portal.api.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of one request's body

# -- The queue (domain.md, section 1) -----------------------------------------------------------
Q_CLUSTER = {
    "name": "tomada",
    "orm": "default",
    "workers": env.int("WORKERS", default=2),
    "timeout": 300,  # a task is killed after this many seconds
    "retry": 360,  # a task whose worker died comes back after this many; must exceed timeout
    "max_attempts": 5,  # the default, 0, retries for ever
    # What failed is on record in our Run, Failure and Notice rows, and what is due is a query that
    # the next recurring task asks again. Repeating the queue's row as well would only double work.
    "ack_failures": True,
    "catch_up": False,  # after downtime a recurring task runs once, not once for each missed slot
    "save_limit": -1,  # no row per success: runs are recorded in our own table
    "bulk": 10,
    "poll": 0.2,
    "recycle": 500,
}
# One minute of a connector's cadence lasts this many seconds. The demo says 1.
SECONDS_PER_MINUTE = env.int("SECONDS_PER_MINUTE", default=60)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # One line per task of a queue that runs thousands says nothing to anybody.
    "loggers": {"django-q": {"level": "WARNING"}},
}

UNFOLD = {
    "SITE_TITLE": "Tomada",
    "SITE_HEADER": "Tomada",
    "SITE_SUBHEADER": _("Portal de integrações"),
    "SITE_SYMBOL": "power",
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {"show_search": True, "navigation": "portal.site.navigation"},
}
