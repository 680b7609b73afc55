"""What the log's lines say, and how many there are."""

import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from connectors.contract import StockSource
from connectors.models import Store
from connectors.runs.running import Attempt, run_flow
from portal.tracing import AddTrace, Bounded, JsonLine
from tests.conftest import flow_of, make_managed
from tests.postgres import free_port


def record(text: str, line: int = 1, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord("portal", level, "portal/x.py", line, text, (), None)


def test_a_line_of_json_holds_what_is_searched_by() -> None:
    line = record("pedido não veio")
    AddTrace().filter(line)
    line.request_id, line.caller = "abc", "store=3 activation=14"

    told = json.loads(JsonLine().format(line))

    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "ERROR",
        "logger": "portal",
        "message": "pedido não veio",
        "request_id": "abc",
        "store": "3",
        "activation": "14",
    }


def test_what_a_cluster_says_of_a_run_names_its_store_and_its_activation(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rocky = make_managed(store, "rocky", "https://loja.example.com", {"token": "t"})
    caplog.handler.addFilter(AddTrace())

    def work(attempt: Attempt, client: object) -> None:
        with attempt.item(record_id="A"):
            raise KeyError("of one record")
        raise KeyError("of all")

    run_flow(flow_of(rocky, StockSource), StockSource, work)

    told = [json.loads(JsonLine().format(line)) for line in caplog.records]
    whose = {"store": str(store.pk), "activation": str(rocky.pk)}
    assert [line | whose for line in told] == told
    assert len(told) == 2


def test_an_error_stays_one_line() -> None:
    line = record("broke")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line.exc_info = sys.exc_info()

    written = JsonLine().format(line)

    assert "\n" not in written
    assert "ValueError: two\nlines" in json.loads(written)["exception"]


def test_what_is_said_over_and_over_is_said_so_often_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    minutes = [60.0]
    monkeypatch.setattr("portal.tracing.time.monotonic", lambda: minutes[0])
    bounded = Bounded()

    said = sum(bounded.filter(record("away")) for _time in range(100))
    other = bounded.filter(record("something else", line=2))
    minutes[0] += 60
    later = record("away")

    assert (said, other, bounded.filter(later)) == (30, True, True)
    assert later.getMessage() == "away (and 70 more like it)"


def test_a_flood_of_warnings_does_not_hide_an_error_from_the_same_line() -> None:
    bounded = Bounded()
    for _time in range(100):
        bounded.filter(record("Not Found", level=logging.WARNING))

    assert bounded.filter(record("Internal Server Error"))


def web_server(level: str, port: int, *more: str) -> "subprocess.Popen[str]":
    command = ["-m", "gunicorn", "--config", "python:portal.webserver"]
    return subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, *command, "--bind", f"127.0.0.1:{port}", *more, "portal.wsgi"],
        env={**os.environ, "LOG_FORMAT": "json", "LOG_LEVEL": level},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_web_server_writes_its_own_lines_so_too() -> None:
    server = web_server("INFO", free_port())
    assert server.stderr
    first = server.stderr.readline()
    server.terminate()
    rest = server.communicate(timeout=60)[1].splitlines()

    told = [json.loads(line) for line in (first, *rest)]

    assert {each["logger"] for each in told} == {"gunicorn.error"}


def test_the_web_servers_file_takes_its_lines_and_the_portals(tmp_path: Path) -> None:
    file, port = tmp_path / "lines", free_port()
    server = web_server("INFO", port, "--error-logfile", str(file))
    while server.poll() is None:
        with suppress(URLError):
            with pytest.raises(HTTPError, match="Not Found"):
                urlopen(f"http://127.0.0.1:{port}/nowhere")
            break
    server.terminate()
    server.communicate(timeout=60)

    told = [json.loads(line) for line in file.read_text().splitlines()]

    assert {"gunicorn.error", "django.request"} <= {each["logger"] for each in told}


def test_the_web_server_keeps_to_the_same_level() -> None:
    port = free_port()
    server = web_server("ERROR", port)
    while server.poll() is None:
        with suppress(OSError), create_connection(("127.0.0.1", port)):
            break
    server.terminate()

    assert server.communicate(timeout=60)[1] == ""


def test_the_web_server_says_that_several_processes_want_a_cache_that_they_share() -> None:
    server = web_server("WARNING", free_port(), "--workers", "2")
    assert server.stderr
    first = json.loads(server.stderr.readline())
    server.terminate()
    server.communicate(timeout=60)

    assert (first["level"], first["message"][:31]) == ("WARNING", "2 processes, and no CACHE_URL: ")
