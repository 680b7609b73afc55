import socket

import pytest
import requests
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from connectors.models import Connector, Store
from connectors.registry import SPECS
from connectors.spec import Mode
from orders.models import Order
from portal.demo.people import open_store, start_afresh
from portal.demo.processes import Processes
from portal.demo.scene import scenes_of_every_connector
from tests.conftest import make_store

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demo_plays_every_connector_in_each_of_its_modes():
    scenes = scenes_of_every_connector()

    played = {(spec.slug, mode) for spec, mode, _channel in scenes}
    channels = {channel.slug for _spec, _mode, channel in scenes}
    assert played == {
        (spec.slug, mode) for spec in SPECS.values() if spec.consumes for mode in spec.modes
    }
    assert channels == {spec.slug for spec in SPECS.values() if spec.is_channel}
    assert ("olist", Mode.MANAGED) in played


def test_the_demo_begins_with_nothing_but_its_people():
    start_afresh()
    open_store("Loja de antes", "antes")

    start_afresh()

    assert not Store.objects.exists()
    assert not Order.objects.exists()
    assert set(User.objects.values_list("username", flat=True)) == {"operadora", "lojista"}
    assert Connector.objects.count() == len(SPECS)


def test_the_demo_refuses_a_database_with_a_real_store():
    store = make_store(domain="loja-de-verdade.com.br")

    with pytest.raises(CommandError, match="não é de uma demonstração"):
        start_afresh()

    assert Store.objects.get() == store


def test_the_demo_refuses_a_database_with_real_people():
    User.objects.create_user("gerente")

    with pytest.raises(CommandError, match="não é de uma demonstração"):
        start_afresh()

    assert User.objects.get().username == "gerente"


def test_a_port_in_use_is_said_before_anything_starts():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(CommandError, match="em uso"), Processes(other.getsockname()[1]):
            pass


def test_a_process_that_is_slow_to_answer_is_waited_for(monkeypatch):
    answers = iter([requests.ReadTimeout(), requests.ConnectionError(), None])

    def get(url, timeout):
        if error := next(answers):
            raise error

    monkeypatch.setattr(requests, "get", get)

    Processes(0)._wait_for("http://127.0.0.1")

    assert next(answers, "none left") == "none left"


def test_the_demos_links_lead_to_its_own_port(monkeypatch):
    monkeypatch.delenv("PORTAL_URL", raising=False)

    assert Processes(8471).environment["PORTAL_URL"] == "http://127.0.0.1:8471"
