"""The only door to other people's machines, tried on a real one."""

import socket
import time
from typing import Any

import pytest

from connectors import http
from connectors.errors import Rejected, Unauthorized, Unavailable, Unreadable
from connectors.http import call, send
from tests.connectors.conftest import Receiver

TOKEN = "segredo-da-loja"


def test_an_answer_comes_whole_whatever_its_status(receiver: Receiver) -> None:
    receiver.reply(418, b'{"cha": 1}', X_Kind="bule")

    answer = send("POST", f"{receiver.url}/pedidos", json={"a": 1}, params={"token": TOKEN})

    assert (answer.status, answer.headers["X-Kind"], answer.json()) == (418, "bule", {"cha": 1})
    assert receiver.received[0][:2] == ("POST", f"/pedidos?token={TOKEN}")
    assert receiver.bodies == [{"a": 1}]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.reply(302, Location="http://169.254.169.254/latest/meta-data/")

    answer = send("GET", receiver.url)

    assert answer.status == 302
    assert len(receiver.received) == 1


def test_a_cookie_of_one_store_does_not_go_with_another(receiver: Receiver) -> None:
    receiver.reply(200, Set_Cookie="session=da-loja-1; Path=/")
    send("GET", receiver.url)

    send("GET", receiver.url)

    assert "Cookie" not in receiver.received[1][2]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (301, Rejected),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, Rejected),
        (422, Rejected),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_what_http_says_decides_what_the_portal_does_next(
    status: int, error: type[Exception], receiver: Receiver
) -> None:
    receiver.reply(status, b"nope")

    with pytest.raises(error, match=rf"^GET products: HTTP {status}"):
        call("GET", receiver.url, what="GET products")


@pytest.mark.parametrize(("header", "after"), [("120", 120), ("Fri, 31 Dec 2027", None)])
def test_a_platform_says_how_long_to_wait(
    header: str, after: int | None, receiver: Receiver
) -> None:
    receiver.reply(429, Retry_After=header)

    with pytest.raises(Unavailable) as refused:
        call("GET", receiver.url, what="GET products")

    assert refused.value.after == after


def test_an_answer_that_is_not_json_is_unreadable(receiver: Receiver) -> None:
    receiver.reply(200, b"<html>")

    with pytest.raises(Unreadable, match=r"^GET products: not JSON: b'<html>'$"):
        call("GET", receiver.url, what="GET products")


def test_a_body_that_breaks_off_is_no_answer(receiver: Receiver) -> None:
    receiver.reply(200, b'{"products": [', Content_Length="5000")

    with pytest.raises(Unavailable, match=r"^GET products: GET: "):
        call("GET", receiver.url, what="GET products")


def test_a_body_without_end_is_cut(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100)
    receiver.reply(200, b"x" * 101)

    with pytest.raises(Unreadable, match=r"^GET: the answer is longer than 100 bytes$"):
        send("GET", receiver.url)


def test_nobody_waits_longer_than_he_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/?token={TOKEN}"
        began = time.monotonic()

        with pytest.raises(Unavailable, match=r"^GET: ReadTimeout$"):
            send("GET", url, read_seconds=0.2)

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:9/?token={TOKEN}",  # nobody listens
        f"http://{'a' * 70}.example.com/?token={TOKEN}",  # no name is that long
        f"http://[::1/?token={TOKEN}",
        f"gopher://example.com/?token={TOKEN}",
        f"/only/a/path?token={TOKEN}",
    ],
)
def test_no_message_holds_the_address_or_a_secret(url: str) -> None:
    with pytest.raises(Unavailable) as refused:
        send("GET", url, headers={"Authorization": f"Bearer {TOKEN}"})

    assert str(refused.value).startswith("GET: ")
    for text in (TOKEN, "127.0.0.1", "example.com", "path"):
        assert text not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"]
)
def test_an_address_that_somebody_typed_does_not_lead_into_our_own_network(
    host: str, receiver: Receiver, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    port = receiver.server.server_port

    with pytest.raises(Unavailable, match=r"^GET: "):
        send("GET", f"http://{host}:{port}/")

    assert receiver.received == []
