"""The only door to other people's machines, tried on a real one."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from requests_hardened import ip_filter_adapter

from connectors import http
from connectors.deadline import end_call_in
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


def test_what_lies_about_on_the_machine_has_no_say(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc would replace the store's credential, and a proxy be called instead of the host."""
    (netrc := tmp_path / "netrc").write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    send("GET", receiver.url, headers={"Authorization": "Bearer ours"})

    assert receiver.received[0][2]["Authorization"] == "Bearer ours"


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


def test_an_answer_that_is_nested_without_end_is_no_json(receiver: Receiver) -> None:
    receiver.reply(200, b"[" * 100_000)

    with pytest.raises(Unreadable, match=r"^GET products: not JSON"):
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
            send("GET", url, seconds=0.2)

    assert time.monotonic() - began < 2


class Dripper:
    """Answers every call on a connection with `at_once`, then the rest a byte every 20 ms: always
    before anybody loses patience."""

    def __init__(self, at_once: bytes, rest: bytes) -> None:
        self.at_once, self.rest = at_once, rest
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self.listener.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(65536):
                self.calls += 1
                connection.sendall(self.at_once)
                for byte in self.rest:
                    time.sleep(0.02)
                    connection.sendall(bytes([byte]))


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n"
DRIPS = {
    "status": (b"", b"HTTP/1.1 200 " + b"O" * 200),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 30),
    "body": (HEADERS, b"x" * 200),
    "body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 200),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 40),
}


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes, bytes], Dripper]]:
    drippers: list[Dripper] = []

    def drip(at_once: bytes, rest: bytes) -> Dripper:
        drippers.append(Dripper(at_once, rest))
        return drippers[-1]

    yield drip
    for dripper in drippers:
        dripper.listener.close()


@pytest.mark.parametrize("allow_private", [True, False])
@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_comes_in_drops_holds_nobody_longer_than_he_said(
    what: str,
    allow_private: bool,
    dripping: Callable[[bytes, bytes], Dripper],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = allow_private
    monkeypatch.setattr(ip_filter_adapter, "filter_host", lambda host, *_args, **_kwargs: host)
    dripper = dripping(*DRIPS[what])
    began = time.monotonic()

    with pytest.raises(Unavailable, match=r"^GET: ReadTimeout"):
        send("GET", f"http://127.0.0.1:{dripper.port}/", seconds=0.3)

    assert 0.25 < time.monotonic() - began < 1.5
    assert dripper.calls == 1


def test_a_slow_answer_that_is_whole_in_time_is_an_answer(
    dripping: Callable[[bytes, bytes], Dripper],
) -> None:
    dripper = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"[1,2]")

    answers = [send("GET", f"http://127.0.0.1:{dripper.port}/", seconds=0.6) for _call in range(5)]

    # On one connection, and each with a time of its own.
    assert [answer.json() for answer in answers] == [[1, 2]] * 5


def test_a_call_that_says_nothing_ends_within_a_minute(
    dripping: Callable[[bytes, bytes], Dripper], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    def end_soon(seconds: float) -> None:
        given.append(seconds)
        end_call_in(0.3)

    monkeypatch.setattr(http, "end_call_in", end_soon)

    with pytest.raises(Unavailable):
        call("GET", f"http://127.0.0.1:{dripping(*DRIPS['body']).port}/", what="GET orders")

    assert given == [60]


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


@pytest.mark.parametrize(
    ("in_seconds", "low", "high"), [(90, 85, 91), (-90, 0, 0), (7200, 7195, 7201)]
)
def test_an_answer_may_wish_for_a_date(
    in_seconds: int, low: int, high: int, receiver: Receiver
) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=in_seconds)
    receiver.reply(503, Retry_After=format_datetime(moment, usegmt=True))

    with pytest.raises(Unavailable) as error:
        call("GET", receiver.url, what="GET products")

    assert error.value.after is not None
    assert low <= error.value.after <= high


@pytest.mark.parametrize(
    "rubbish",
    [
        "soon",
        "-5",
        "1.5",
        "9" * 5000,
        "Tue, 99 Nov 2026 25:00:00 GMT",
        "Mon, 0 0 0 0:0",
        "Tue, 24 Nov 2026 12:00:00 +99999999999999999999",
    ],
)
def test_a_wish_that_nobody_understands_is_none(rubbish: str, receiver: Receiver) -> None:
    receiver.reply(503, Retry_After=rubbish)

    with pytest.raises(Unavailable) as error:
        call("GET", receiver.url, what="GET products")

    assert error.value.after is None
