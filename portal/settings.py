"""Every setting, read once from the environment (or from the file that ENV_FILE names)."""

import os
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))


YES, NO = {"true", "on", "ok", "y", "yes", "1"}, {"false", "off", "n", "no", "0"}


def words(values: list[str]) -> list[str]:
    """Of a list that was typed: with a space after the comma, or a comma at the end."""
    return [each.strip() for each in values if each.strip()]


def flag(name: str, *, default: bool) -> bool:
    """Else whatever is no yes would be a no: an empty or misspelt one would take a guard away."""
    said = env.str(name, default=str(default)).strip().lower()
    if said not in YES | NO:
        raise ImproperlyConfigured(f"{name}: true or false.")
    return said in YES


def number(name: str, *, default: int, least: int = 1) -> int:
    """Else nobody would work, or be let in, and nothing would say why."""
    try:
        said = env.int(name, default=default)
    except ValueError:
        said = least - 1
    if said < least:
        raise ImproperlyConfigured(f"{name}: a whole number, {least} or more.")
    return said


def address(
    read: Callable[..., dict[str, Any]], name: str, default: str, rule: str
) -> dict[str, Any]:
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):
            if values := read(name, default=default):
                return values
    except (ValueError, UserWarning, ImproperlyConfigured):
        pass  # its own text does not say which setting it is, and may hold the password
    raise ImproperlyConfigured(f"{name}: {rule}; in a password, %23 for # and so on.")


# -- Secrets: none has a default ----------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
# Fernet keys that seal the credentials we must present to platforms; the first one seals, all open.
CREDENTIAL_KEYS: list[str] = words(env.list("CREDENTIAL_KEYS"))
try:
    keys = [Fernet(key) for key in CREDENTIAL_KEYS]
except ValueError:
    keys = []  # the error's own text does not say which setting it is
if not keys:
    raise ImproperlyConfigured("CREDENTIAL_KEYS: one Fernet key, or several with commas.")

# -- Where we are reached -----------------------------------------------------------------------
DEBUG = flag("DEBUG", default=False)
ALLOWED_HOSTS = words(env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"]))
CSRF_TRUSTED_ORIGINS = words(env.list("CSRF_TRUSTED_ORIGINS", default=[]))
# Addresses that people typed must not lead into our own network. Only the demo and the tests,
# whose platforms run on this machine, allow it.
ALLOW_PRIVATE_ADDRESSES = flag("ALLOW_PRIVATE_ADDRESSES", default=False)
if SECRET_KEY.startswith(("demo-", "tests-")) and not ALLOW_PRIVATE_ADDRESSES:
    raise ImproperlyConfigured("SECRET_KEY: the demo's and the tests' are for those alone.")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "portal.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "connectors",
    "catalog",
    "orders",
    "portal.apps.PortalConfig",
]

MIDDLEWARE = [
    "portal.proxies.CallersAddress",
    "portal.tracing.RequestIds",
    "portal.security.BrowserRules",
    "portal.metrics.ApiTimes",
    "portal.api.frame.ApiFrame",
    "portal.text.AddressesAreText",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.language.ChosenLanguage",
    "portal.security.LargestBody",
    "portal.health.CommonButForProbes",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last: it says who has to wait
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
DATABASE_RULE = "postgres://user:password@host/name, or sqlite:///path"
DATABASES = {
    "default": address(
        env.db, "DATABASE_URL", f"sqlite:///{DATA_DIR / 'tomada.sqlite3'}", DATABASE_RULE
    )
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
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # What a connection asks again and again, PostgreSQL parses and plans once.
    prepared = {"server_side_binding": True, "prepare_threshold": 5}
    # A host that vanishes with its network never hangs up, and by default PostgreSQL keeps what it
    # had locked for two hours. It asks sooner, and after 25 seconds of silence lets go.
    vanished = {
        "tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3,
        "tcp_user_timeout": 25_000,
    }  # fmt: skip
    asking = {"options": " ".join(f"-c {name}={value}" for name, value in vanished.items())}
    DATABASES["default"]["OPTIONS"] = prepared | asking | DATABASES["default"].get("OPTIONS", {})
else:
    raise ImproperlyConfigured(f"DATABASE_URL: {DATABASE_RULE}.")
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
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# After so many wrong passwords for one name from one address, both together wait.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# After so many for one name from wherever, a browser in which nobody came in by it before waits.
NAME_ATTEMPTS = 100
AXES_CLIENT_IP_CALLABLE = "portal.proxies.guessing_from"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "portal.pages.login.answer_locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
# Staff without a second factor get no further than the page on which they switch it on.
REQUIRE_STAFF_2FA = flag("REQUIRE_STAFF_2FA", default=not DEBUG)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# -- What the proxy in front of us speaks with browsers: TLS -----------------------------------
SECURE = flag("SECURE_COOKIES", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
# The proxy says how it was called, and takes out what a caller says of it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
PROXIES = number("PROXIES", default=0, least=0)  # how many of ours append to X-Forwarded-For
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # the proxy redirects to TLS; a redirect of ours would turn a POST into a GET
    "security.W021",  # browsers' preload list takes whole domains, and those are not ours to give
]

LANGUAGE_CODE = "pt-br"
LANGUAGES = [("pt-br", _("Português")), ("en", _("Inglês"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
USE_TZ = True  # stored in UTC; shown in:
TIME_ZONE = "America/Sao_Paulo"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # the few files are served from where they lie; nothing to collect

# -- The hub API --------------------------------------------------------------------------------
# The frame is set here, and not in the views, because catalog and orders may not import portal.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.integrator.IntegratorPair",
        "portal.api.authentication.BearerToken",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsing.HubParser"],
    "DEFAULT_PAGINATION_CLASS": "portal.api.paging.HubPagination",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "portal.api.negotiation.AlwaysJson",
    "DEFAULT_THROTTLE_CLASSES": ["portal.api.limits.CredentialRate"],
    "DEFAULT_METADATA_CLASS": "portal.api.negotiation.Methods",
    "DEFAULT_SCHEMA_CLASS": "portal.api.described.Described",
    "EXCEPTION_HANDLER": "portal.api.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of one request's body
API_RATE = number("API_RATE", default=600)  # calls of one credential in a minute
# Wrong client secrets, integrators' tokens, or hand-over links, from one address: after so many it
# waits.
FAILED_ATTEMPTS = 20
ATTEMPTS_WINDOW = 15 * 60  # seconds
CACHES = {
    # What the calls are counted in: several processes count together only in one that they share.
    "default": address(env.cache, "CACHE_URL", "locmemcache://", "dbcache://table"),
    # What must be known by whichever process is asked next.
    "shared": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_shared",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tomada",
    "VERSION": "1.0.0",
    "DESCRIPTION": _(
        "A API do hub, a mesma que os clientes do Plugg.to já falam. Campos desconhecidos são"
        " guardados e devolvidos."
    ),
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/api"}],
    "SCHEMA_PATH_PREFIX": "/api",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,  # they speak to whoever reads the code
    "DISABLE_ERRORS_AND_WARNINGS": True,  # once per request; the tests look for what is missing
    "PREPROCESSING_HOOKS": ["portal.api.document.canonical_paths"],
    "POSTPROCESSING_HOOKS": ["portal.api.document.complete"],
    "SWAGGER_UI_DIST": "SIDECAR",  # from our own static files: no page of ours loads from others
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# -- Telling support what needs a person (connectors/trouble/alerts.py) --------------------------
PORTAL_URL = env.str("PORTAL_URL", default="http://localhost:8000")  # as people reach it
ALERT_EMAILS: list[str] = words(env.list("ALERT_EMAILS", default=[]))
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
ALERT_WEBHOOK_SECRET = env.str("ALERT_WEBHOOK_SECRET", default="")  # whsec_…
# By default mail is written to the log.
MAIL_RULE = "smtp+tls://user:password@host:587"
vars().update(address(env.email, "EMAIL_URL", "consolemail://", MAIL_RULE))
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = env.str("FROM_EMAIL", default="tomada@localhost")

# -- The queue (domain.md, section 1) -----------------------------------------------------------
Q_CLUSTER: dict[str, Any] = {
    "name": "tomada",
    "orm": "default",
    "broker_class": "connectors.queue.Queue",
    "workers": number("WORKERS", default=2),
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
SECONDS_PER_MINUTE = number("SECONDS_PER_MINUTE", default=60)

# -- What the portal says of itself ---------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # for /metrics; none: nobody reads it
METRICS_DIR = Path(env.str("METRICS_DIR", default=str(DATA_DIR / "metrics")))
METRICS_DIR.mkdir(parents=True, exist_ok=True)
# Read by prometheus_client when it is imported: web processes write their times there.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "trace": {"()": "portal.tracing.AddTrace"},
        "bounded": {"()": "portal.tracing.Bounded"},
        "addresses": {"()": "portal.tracing.NoSecretAddresses"},
    },
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s %(caller)s] %(message)s"
        },
        "json": {"()": "portal.tracing.JsonLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="line"),  # or json: one object a line
            "filters": ["trace", "bounded"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # One line per task of a queue that runs thousands says nothing to anybody.
    "loggers": {
        "django-q": {"level": "WARNING"},
        "django.request": {"filters": ["addresses"]},
        "django.security.csrf": {"filters": ["addresses"]},
    },
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
