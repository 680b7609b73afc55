"""SKUs in addresses, as gunicorn, Django's own server and its test client read them."""

import json
import socket
from typing import Any
from urllib.parse import quote

import pytest
import requests
from gunicorn.config import Config
from gunicorn.http import wsgi as gunicorn_wsgi
from gunicorn.http.parser import RequestParser

from catalog.models import Product
from connectors.models import Store
from portal.wsgi import application
from tests.conftest import Partner, make_partner

SKUS = [
    "A/B", "/A", "A//B", "A%2FB", "A%252FB", "%25", "100%", "A+B", "A B", "A&B=C", "A#B", "A?B",
    "A;B,C", "Ação/nº 1", "日本", "A.B", "..%2F..", "stock", "A\\B", "A'B\"C", "<b>", "a:b@c",
    "skus/A",
]  # fmt: skip
# Only a server that tells how the path was written can serve these.
ENDING_LIKE_AN_ADDRESS = ["A/", "A/stock", "A/stock/", "stock/stock", "A/Stock", "/stock"]


@pytest.fixture
def linx(store: Store) -> Partner:
    partner = make_partner(store, "linx")
    partner.token = partner.ask_token().json()["access_token"]
    return partner


def through_gunicorn(token: str, method: str, target: str, body: Any = None) -> tuple[int, Any]:
    """A request as gunicorn reads it off the wire and hands it over."""
    text = json.dumps(body or {}).encode()
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    config, peer = Config(), ("127.0.0.1", 4321)
    request = next(RequestParser(config, iter([head.encode() + text]), peer))
    answered: list[str] = []
    with socket.socket() as sock:
        _response, environ = gunicorn_wsgi.create(
            request, sock, peer, ("127.0.0.1", "8000"), config
        )
        answer = application(environ, lambda status, _headers, *_rest: answered.append(status))
    return int(answered[0].split()[0]), json.loads(b"".join(answer))


@pytest.mark.django_db(transaction=True)  # Django closes its connection between two requests
@pytest.mark.parametrize("sku", [*SKUS, *ENDING_LIKE_AN_ADDRESS])
def test_gunicorn_serves_every_sku(sku, linx):
    address = f"/api/skus/{quote(sku, safe='')}"

    saved = through_gunicorn(linx.token, "PUT", address, {"name": "Um"})
    stock = {"action": "update", "quantity": "7"}
    stocked = through_gunicorn(linx.token, "PUT", f"{address}/stock", stock)
    found = through_gunicorn(linx.token, "GET", f"{address}/")
    deleted = through_gunicorn(linx.token, "DELETE", address)

    assert [status for status, _body in (saved, stocked, found, deleted)] == [200] * 4, saved
    assert found[1]["Product"]["sku"] == sku
    assert found[1]["Product"]["quantity"] == 7
    assert not Product.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sku", SKUS)
def test_djangos_own_server_serves_every_other_sku(sku, linx, live_server):
    address = f"{live_server.url}/api/skus/{quote(sku, safe='')}"
    headers = {"Authorization": f"Bearer {linx.token}"}

    saved = requests.put(address, json={"name": "Um"}, headers=headers, timeout=10)
    stock = {"action": "update", "quantity": 7}
    stocked = requests.put(f"{address}/stock", json=stock, headers=headers, timeout=10)
    found = requests.get(address, headers=headers, timeout=10)

    assert [answer.status_code for answer in (saved, stocked, found)] == [200] * 3, saved.content
    product = found.json()["Product"]
    assert (product["sku"], product["quantity"]) == (sku, 7)


@pytest.mark.parametrize("sku", SKUS)
def test_the_test_client_serves_them_too(sku, linx):
    address = f"/skus/{quote(sku, safe='')}"

    saved = linx.put(address, {"name": "Um"})
    stocked = linx.put(f"{address}/stock", {"action": "update", "quantity": 7})

    assert (saved.status_code, stocked.status_code) == (200, 200)
    assert Product.objects.get().sku == sku


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "target",
    [
        "/api/SKUS/a%2fb", "/api/Skus/a%2Fb/", "/api/%73kus/%61%2Fb",
        "http://localhost/api/skus/a%2Fb", "/api/skus/%20a%2Fb%20", "/api/skus/a%2Fb?x=/y?z#",
    ],
)  # fmt: skip
def test_the_same_sku_may_be_written_in_many_ways(target, linx):
    linx.put("/skus/a%2Fb", {"name": "Um"})

    status, body = through_gunicorn(linx.token, "GET", target)

    assert (status, body.get("Product", {}).get("sku")) == (200, "a/b"), body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "target"),
    [("PUT", "/api/skus/a/b"), ("PUT", "/api/skus/a/stocks"), ("GET", "/api/skus//a"),
     ("PUT", "/api/skus/"), ("PUT", "/api/skus/%20"), ("PUT", "/api/skus%2Fa")],
)  # fmt: skip
def test_a_slash_that_is_written_as_one_separates(method, target, linx):
    status, body = through_gunicorn(linx.token, method, target, {"name": "Um"})

    assert (status, body["type"]) == (404, "not_found")
    assert not Product.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_bytes_that_are_no_text_name_nothing(linx):
    status, body = through_gunicorn(linx.token, "GET", "/api/skus/%FF%2F%C3")

    assert (status, body["type"]) == (404, "not_found")


@pytest.mark.parametrize("written", ["/other/skus/b", "*", "", "//evil/api/skus/b"])
def test_an_address_that_a_server_tells_otherwise_is_not_believed(written, linx):
    """A proxy, or a rewriting server, may have changed the path."""
    linx.put("/skus/a", {"name": "Um"})

    answer = linx.client.get(
        "/api/skus/a", headers={"Authorization": f"Bearer {linx.token}"}, REQUEST_URI=written
    )

    assert answer.json()["Product"]["sku"] == "a"
