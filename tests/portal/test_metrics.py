"""What Prometheus is told."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import OperationalError, connections
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from connectors.models import Failure, Store
from portal import metrics
from portal.webserver import on_starting
from tests.conftest import make_partner

TOKEN = "token-do-prometheus"


def read(token: str = TOKEN) -> Any:
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def samples() -> dict[tuple[str, str], float]:
    """By name and the value of the last label."""
    return {
        (sample.name, (list(sample.labels.values()) or [""])[-1]): sample.value
        for family in text_string_to_metric_families(read().content.decode())
        for sample in family.samples
    }


def test_without_the_token_there_is_nothing(db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    assert Client().get("/metrics").status_code == 404
    assert read("wrong").status_code == 404


def test_without_a_token_in_the_settings_there_is_nothing_for_anybody(
    db: None, settings: Any
) -> None:
    settings.METRICS_TOKEN = ""

    assert read("").status_code == 404


def test_each_figure_is_what_is_there(store: Store, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")
    Failure.objects.create(activation=partner.activation, flow="orders", kind="rejected")
    partner.get("/orders")

    found = samples()

    assert found["tomada_database_up", ""] == 1
    assert found["tomada_api_times_up", ""] == 1
    assert found["tomada_failures_open", "rejected"] == 1
    assert found["tomada_queue_tasks", ""] >= 0
    assert found["tomada_messages_waiting", "notice"] == 0
    assert 0 < found["tomada_disk_free_ratio", ""] < 1
    assert sum(n for (name, _label), n in found.items() if name == "tomada_flows") > 0
    assert found["tomada_api_seconds_count", "2xx"] >= 1


def test_on_a_full_disk_no_times_are_noted_down(
    store: Store, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_TOKEN = TOKEN
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")
    partner.get("/orders")
    before = samples()["tomada_api_seconds_count", "2xx"]
    monkeypatch.setattr(metrics, "ROOM", 2**80)

    assert partner.get("/orders").status_code == 200

    assert samples()["tomada_api_seconds_count", "2xx"] == before


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "damaged"])
def test_where_the_apis_times_cannot_be_read_all_else_is_told(
    store: Store, settings: Any, tmp_path: Path, is_there: bool
) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.METRICS_DIR = tmp_path / "metrics"
    if is_there:
        settings.METRICS_DIR.mkdir()
        (settings.METRICS_DIR / "histogram_1.db").touch()

    found = samples()

    assert found["tomada_api_times_up", ""] == 0
    assert found["tomada_database_up", ""] == 1


def test_where_the_times_folder_is_somebody_elses_the_api_answers_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = make_partner(store, "rocky", plugin_url="https://loja.example.com.br")

    def refuse(*args: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(metrics.API_SECONDS, "labels", refuse)

    assert partner.get("/orders").status_code == 200


def test_the_number_of_queries_does_not_grow(
    store: Store, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.METRICS_TOKEN = TOKEN
    for _number in range(5):
        make_partner(store, "rocky", plugin_url="https://loja.example.com.br")

    with django_assert_max_num_queries(9):
        assert read().status_code == 200


def test_a_web_server_that_starts_forgets_only_the_times_of_the_dead(
    tmp_path: Path, settings: Any
) -> None:
    settings.METRICS_DIR = tmp_path
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = (f"histogram_{os.getpid()}.db", f"histogram_{dead.pid}.db", "tomada.db")
    for name in names:
        (tmp_path / name).touch()

    on_starting(None)

    assert {file.name for file in tmp_path.iterdir()} == {names[0], names[2]}


def test_without_a_database_it_says_so(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise OperationalError("no route to host")

    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(type(connections["default"]), "cursor", refuse)

    assert samples()["tomada_database_up", ""] == 0


def test_the_example_rules_ask_for_what_there_is(store: Store, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    rules = (settings.BASE_DIR / "portal" / "alert-rules.yml").read_text()
    make_partner(store, "rocky", plugin_url="https://loja.example.com.br").get("/orders")

    known = {name for name, _label in samples()} | {
        "tomada_runs_recent",
        "tomada_clock_age_seconds",
    }

    asked = {name for each in yaml.safe_load(rules)["groups"][0]["rules"]
             for name in re.findall(r"tomada_\w+", each["expr"])}  # fmt: skip
    assert asked - known == set()
