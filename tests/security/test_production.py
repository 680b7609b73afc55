"""The settings of production, read by a process of its own as a server reads them."""

import json
import os
import secrets
import subprocess
import sys

import pytest
from django.conf import settings

from portal.demo.environment import demo_environment

SHOW = """
import json
from portal import settings as s
names = ["DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS",
         "REQUIRE_STAFF_2FA", "ALLOW_PRIVATE_ADDRESSES", "X_FRAME_OPTIONS"]
print(json.dumps({name: getattr(s, name) for name in names}))
"""


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    ours = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "xN0rJvhk1zq2bq0m0wYw0w7Q0Vw0n3dX0m6m0t5u8gE=",
        "DATABASE_URL": "sqlite:///:memory:",
        "ALLOWED_HOSTS": "portal.example.com.br",
    }
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=ours | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_djangos_own_check_of_a_deployment_finds_nothing() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_what_is_not_said_is_safe() -> None:
    assert json.loads(run("-c", SHOW).stdout) == {
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 365 * 24 * 60 * 60,
        "REQUIRE_STAFF_2FA": True,
        "ALLOW_PRIVATE_ADDRESSES": False,
        "X_FRAME_OPTIONS": "DENY",
    }


@pytest.mark.parametrize("name", ["SECRET_KEY", "CREDENTIAL_KEYS"])
def test_no_secret_has_a_default(name: str) -> None:
    script = f"import os; del os.environ['{name}']; import portal.settings"

    done = run("-c", script)

    assert done.returncode != 0
    assert f"Set the {name} environment variable" in done.stderr


@pytest.mark.parametrize(
    "key", [demo_environment()["SECRET_KEY"], settings.SECRET_KEY], ids=["demo", "tests"]
)
def test_the_demos_and_the_tests_secrets_do_not_run_in_production(key: str) -> None:
    done = run("-c", "import portal.settings", SECRET_KEY=key)

    assert done.returncode != 0
    assert "ImproperlyConfigured: SECRET_KEY" in done.stderr


@pytest.mark.parametrize("said", ["", "sim", "ture"])
def test_a_guard_is_taken_away_only_by_a_clear_no(said: str) -> None:
    done = run("-c", "import portal.settings", REQUIRE_STAFF_2FA=said)

    assert done.returncode != 0
    assert "ImproperlyConfigured: REQUIRE_STAFF_2FA" in done.stderr


@pytest.mark.parametrize("said", ["WORKERS=0", "WORKERS=dois", "API_RATE=0", "PROXIES=-1"])
def test_a_number_that_would_let_nobody_work_does_not_run(said: str) -> None:
    name, _is, value = said.partition("=")

    done = run("-c", "import portal.settings", **{name: value})

    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}: a whole number, " in done.stderr


@pytest.mark.parametrize("keys", ["", ",", "senha-forte"])
def test_keys_that_seal_nothing_do_not_run(keys: str) -> None:
    done = run("-c", "import portal.settings", CREDENTIAL_KEYS=keys)

    assert done.returncode != 0
    assert "ImproperlyConfigured: CREDENTIAL_KEYS" in done.stderr
    assert "senha-forte" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "tomada:senha-forte@host/tomada"),
        ("DATABASE_URL", "postgres://tomada:senha-forte@host:abc/tomada"),
        ("DATABASE_URL", "http://tomada:senha-forte@host/tomada"),
        ("EMAIL_URL", "smtp.example.com"),
        ("EMAIL_URL", "smtp+tls://tomada:senha#-forte@host:587"),
        ("CACHE_URL", ""),
        ("CACHE_URL", "dbcache"),
    ],
)
def test_an_address_that_is_none_is_named_at_the_start(name: str, said: str) -> None:
    done = run("-c", "import portal.settings", **{name: said})

    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}" in done.stderr
    assert "-forte" not in done.stderr


def test_hosts_may_be_parted_by_a_comma_and_a_space() -> None:
    show = "from portal import settings as s; print(s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS)"

    done = run("-c", show, ALLOWED_HOSTS="a.br, b.br", CSRF_TRUSTED_ORIGINS="https://a.br, ")

    assert done.stdout == "['a.br', 'b.br'] ['https://a.br']\n"
