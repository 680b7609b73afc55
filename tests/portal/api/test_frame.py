"""What is around every call: request ids, limits, methods, our own faults."""

import io
import logging
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.exceptions import APIException

from connectors.models import Store
from portal import wsgi
from portal.tracing import AddTrace
from tests.conftest import Partner, make_partner, make_store

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
MESSAGE = "An error occurred, see details for more information."


@pytest.fixture
def linx(store: Store) -> Partner:
    return make_partner(store, "linx")


def bearer(partner: Partner) -> dict[str, str]:
    partner.token = partner.token or partner.ask_token().json()["access_token"]
    return {"Authorization": f"Bearer {partner.token}"}


def break_(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        logging.getLogger("orders").error("about to break")
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("portal.api.about.timezone.now", broken)


# -- Request ids -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/api/orders", "/api/nothing", "/api/time", "/login/", "/nothing"]
)
def test_every_answer_has_a_request_id(db, path):
    first, second = Client().get(path), Client().get(path)

    ids = first.headers["X-Request-Id"], second.headers["X-Request-Id"]
    assert len(ids[0]) == 32
    assert ids[0] != ids[1]


def test_the_callers_own_request_id_is_taken(db):
    response = Client().get("/api/orders", headers={"X-Request-Id": "job-17.42_a"})

    assert response.status_code == 401
    assert response.headers["X-Request-Id"] == "job-17.42_a"


@pytest.mark.parametrize("theirs", ["", "a b", "x" * 65, "a\tb", "<script>", "é"])
def test_a_request_id_that_does_not_belong_in_a_log_is_replaced(db, theirs):
    response = Client().get("/api/time", headers={"X-Request-Id": theirs})

    assert len(response.headers["X-Request-Id"]) == 32
    assert response.headers["X-Request-Id"] != theirs


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What the console would show, as tuples."""
    caplog.handler.addFilter(AddTrace())
    return lambda: [(r.name, r.request_id, r.caller, r.getMessage()) for r in caplog.records]


def test_the_log_lines_of_a_request_have_its_id_and_its_caller(linx, lines, monkeypatch):
    def list_and_log(_activation: Any) -> None:
        logging.getLogger("orders").warning("listing")
        raise APIException("enough")

    headers = bearer(linx) | {"X-Request-Id": "one"}
    monkeypatch.setattr("orders.api.Order.objects.listed_for", list_and_log)

    Client().get("/api/orders", headers=headers)
    Client().get("/api/orders", headers={"X-Request-Id": "two"})
    logging.getLogger("orders").warning("afterwards")

    caller = f"store={linx.activation.store_id} activation={linx.activation.pk}"
    assert lines() == [
        ("orders", "one", caller, "listing"),
        ("django.request", "one", caller, "Bad Request: /api/orders"),
        ("django.request", "two", "-", "Unauthorized: /api/orders"),
        ("orders", "-", "-", "afterwards"),
    ]


def test_the_console_shows_them():
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["trace", "bounded"]
    assert "[%(request_id)s %(caller)s]" in settings.LOGGING["formatters"]["line"]["format"]


# -- Our own faults --------------------------------------------------------------------------------
def test_a_fault_of_ours_says_only_which_request_it_was(db, lines, monkeypatch):
    break_(monkeypatch)

    response = Client(raise_request_exception=False).get(
        "/api/time", headers={"X-Request-Id": "bad-day"}
    )

    assert response.status_code == 500
    assert response.json() == {
        "error": True,
        "type": "internal_error",
        "message": MESSAGE,
        "details": "request bad-day",
    }
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"] == "bad-day"
    assert {line[:2] for line in lines()} == {("orders", "bad-day"), ("django.request", "bad-day")}


def test_a_fault_on_a_page_is_a_page(db, monkeypatch):
    monkeypatch.setattr("portal.pages.developers.DevelopersPage.get_context_data", lambda: 1)

    response = Client(raise_request_exception=False).get("/developers/")

    assert response.status_code == 500
    assert response.headers["Content-Type"].startswith("text/html")
    assert "Algo deu errado aqui" in response.content.decode()


@pytest.mark.parametrize(
    ("path", "content_type"), [("/api/time", "application/json"), ("/login/", "text/html")]
)
def test_what_django_refuses_by_itself_is_in_the_hubs_shape_too(db, path, content_type):
    response = Client().get(path, headers={"host": "elsewhere.example"})

    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith(content_type)
    if path.startswith("/api/"):
        assert response.json()["details"] == "DisallowedHost"


# -- Size ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/api/oauth/token", "/api/products", "/api/nothing"])
def test_a_body_that_is_too_long_is_refused_unread(db, path):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    response = Client().post(path, b"x" * (limit + 1), content_type="application/json")

    assert response.status_code == 413
    assert response.json() == {
        "error": True,
        "type": "too_large",
        "message": MESSAGE,
        "details": f"$: longer than {limit} bytes",
    }
    assert "X-Request-Id" in response.headers


def test_a_body_of_the_largest_size_is_read(linx):
    beginning, end = b'{"sku": "A", "description": "', b'"}'
    padding = settings.DATA_UPLOAD_MAX_MEMORY_SIZE - len(beginning) - len(end)

    response = Client().post(
        "/api/products",
        beginning + b"x" * padding + end,
        content_type="application/json",
        headers=bearer(linx),
    )

    assert response.status_code == 201


def through_wsgi(body: bytes, **environ: Any) -> tuple[str, bytes]:
    """As gunicorn hands over a request whose body comes in chunks."""
    answered: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/oauth/token",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **environ,
    }
    answer = wsgi.application(environ, lambda status, _headers: answered.append(status))
    return answered[0], b"".join(answer)


@pytest.mark.django_db(transaction=True)  # Django closes its connection between two requests
def test_a_body_in_chunks_is_read(linx):
    form = (
        f"grant_type=password&client_id={linx.issued.client_id}"
        f"&client_secret={linx.issued.client_secret}&username={linx.issued.api_user}"
        f"&password={linx.issued.api_secret}"
    )

    status, body = through_wsgi(form.encode(), **{"wsgi.input_terminated": True})

    assert status == "200 OK", body


@pytest.mark.parametrize(
    ("environ", "length", "body"),
    [
        ({"wsgi.input_terminated": True}, str(LIMIT + 1), b"x" * (LIMIT + 1)),
        ({"wsgi.input_terminated": True, "CONTENT_LENGTH": "2"}, "2", b"x" * (LIMIT + 9)),
        ({}, None, b"x" * (LIMIT + 9)),  # it may never end
    ],
)
def test_what_is_read_of_a_body_in_chunks_is_one_byte_too_many_at_most(
    monkeypatch, environ, length, body
):
    passed_on: dict[str, Any] = {}
    monkeypatch.setattr(wsgi, "django_application", lambda e, _start: passed_on.update(e) or [])

    wsgi.application({"wsgi.input": io.BytesIO(b"x" * (LIMIT + 9)), **environ}, lambda *_a: None)

    assert passed_on.get("CONTENT_LENGTH") == length
    assert passed_on["wsgi.input"].read() == body


# -- Rate ------------------------------------------------------------------------------------------
@pytest.fixture
def slow(settings: Any) -> None:
    """Three calls, in a minute that does not end during the test."""
    settings.API_RATE = 3
    settings.SECONDS_PER_MINUTE = 10**6


def test_a_credential_that_calls_too_often_is_told_when_to_come_back(linx, slow, settings):
    allowed = [linx.get("/orders").status_code for _call in range(3)]

    response = linx.get("/orders")

    assert allowed == [200, 200, 200]
    assert response.status_code == 429
    assert response.json()["type"] == "too_many_requests"
    assert response.json()["error"] is True
    assert 0 < int(response.headers["Retry-After"]) <= settings.SECONDS_PER_MINUTE


def test_one_credentials_haste_is_not_anothers(linx, slow):
    other = make_partner(make_store(), "rocky")
    for _call in range(4):
        linx.get("/orders")

    assert linx.get("/products").status_code == 429
    assert other.get("/orders").status_code == 200


def test_in_the_next_minute_it_may_call_again(linx, slow, monkeypatch):
    for _call in range(4):
        linx.get("/orders")

    now = time.time() + 10**8
    monkeypatch.setattr("portal.api.limits.time.time", lambda: now)

    assert linx.get("/orders").status_code == 200


def test_asking_for_a_token_is_not_counted(linx, slow):
    """Many clients ask for a new one at every call."""
    answers = [linx.ask_token().status_code for _call in range(5)]

    assert answers == [200] * 5


def test_a_credential_may_call_600_times_a_minute_unless_told_otherwise():
    assert settings.API_RATE == 600


# -- Methods and formats ---------------------------------------------------------------------------
def test_head_is_a_get_without_its_body(linx):
    get = Client().get("/api/orders", headers=bearer(linx))
    head = Client().head("/api/orders", headers=bearer(linx))

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))


def test_options_says_which_methods_there_are(linx):
    response = Client().options("/api/orders", headers=bearer(linx))

    assert response.status_code == 200
    assert response.json() == {"methods": ["GET", "POST", "HEAD", "OPTIONS"]}
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_options_needs_a_token_like_everything_else(db):
    assert Client().options("/api/orders").status_code == 401


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_no_browser_of_another_site_is_let_in(linx, method):
    response = Client().generic(
        method,
        "/api/orders",
        headers=bearer(linx)
        | {"Origin": "https://loja.example", "Access-Control-Request-Method": "GET"},
    )

    assert [name for name in response.headers if name.startswith("Access-Control")] == []


def test_a_person_logged_in_is_not_a_partner(operator: User):
    client = Client()
    client.force_login(operator)

    assert client.get("/api/orders").status_code == 401


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "", "image/*"])
def test_the_answer_is_json_whatever_the_client_says_that_it_accepts(linx, accept):
    response = Client().get("/api/orders?format=xml", headers=bearer(linx) | {"Accept": accept})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("charset", ["rot13", "base64", "utf-7", "nonsense", "utf-16"])
def test_a_charset_that_makes_no_sense_is_ignored(linx, charset):
    response = Client().generic(
        "GET",
        "/api/products?sku=Caf%C3%A9",
        content_type=f"application/json; charset={charset}",
        headers=bearer(linx),
    )

    assert response.status_code == 200
