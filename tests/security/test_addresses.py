"""Addresses that people typed lead nowhere in our own network, however they are written: nobody is
called, not even to knock."""

import socket
from typing import Any

import pytest

from connectors.errors import Unavailable
from connectors.http import send

PUBLIC = "93.184.215.14"
OUR_OWN = [
    # this machine
    "127.0.0.1",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "0.0.0.0",  # noqa: S104  nobody listens there
    "localhost",
    "localhost.",
    "LOCALHOST",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    # the house
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:192.168.0.1]",
    # the neighbours on the wire, and the clouds' metadata among them
    "169.254.1.1",
    "169.254.169.254",
    "0xA9FEA9FE",
    "2852039166",
    "100.100.100.200",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    # IPv4 in other clothes
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::]",
    # everybody and nobody
    "224.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    # the host hides behind what is none
    "example.com@127.0.0.1",
    "example.com:80@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com",
    "127.0.0.1?@example.com",
]


@pytest.fixture
def called(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whom the portal tried to reach. Nobody is there."""
    settings.ALLOW_PRIVATE_ADDRESSES = False
    addresses: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        addresses.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return addresses


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Each name's answers, one list for every time that it is asked for; the last one stays."""
    known: dict[str, list[list[str]]] = {}
    ask = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return ask(host, port, *args, **kwargs)
        answers = known[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [row for ip in found for row in ask(ip, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", OUR_OWN)
def test_no_way_of_writing_it_leads_to_us(host: str, scheme: str, called: list[Any]) -> None:
    with pytest.raises(Unavailable):
        send("GET", f"{scheme}://{host}/")

    assert called == []


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1"]
)
def test_a_name_that_leads_to_us_is_not_followed(
    ip: str, called: list[Any], names: dict[str, list[list[str]]]
) -> None:
    names["loja.com.br"] = [[ip]]

    with pytest.raises(Unavailable):
        send("GET", "http://loja.com.br/")

    assert called == []


def test_a_name_that_changes_its_mind_is_held_to_what_was_looked_at(
    called: list[Any], names: dict[str, list[list[str]]]
) -> None:
    names["loja.com.br"] = [[PUBLIC], ["127.0.0.1"]]

    with pytest.raises(Unavailable):
        send("GET", "http://loja.com.br/")

    assert called == [PUBLIC]


def test_of_several_addresses_only_the_one_that_was_looked_at_is_called(
    called: list[Any], names: dict[str, list[list[str]]]
) -> None:
    names["loja.com.br"] = [[PUBLIC, "10.0.0.1"]]

    with pytest.raises(Unavailable):
        send("GET", "http://loja.com.br/")

    assert called == [PUBLIC]


def test_a_public_address_is_called(called: list[Any]) -> None:
    with pytest.raises(Unavailable):
        send("GET", f"http://{PUBLIC}/")

    assert called == [PUBLIC]
