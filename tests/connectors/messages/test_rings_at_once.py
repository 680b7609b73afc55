"""Notices that arrive at the same moment, each in a thread with a connection of its own."""

import json

import pytest

from connectors.messages.doorbells import doorbell_secret
from connectors.messages.rings import ring
from connectors.models import Ring
from portal.webhooks import FETCHED_BY
from tests.conftest import make_managed, make_store
from tests.connectors.runs.test_concurrency import AT_ONCE, all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_told_several_times_at_once_is_told_once() -> None:
    received = {"integrator_id": "10482", "token": "t"}
    olist = make_managed(make_store(), "olist", "https://api.tiny.com.br/api2/", received)
    notice = {"cnpj": olist.store.cnpj, "tipo": "estoque", "dados": {"idProduto": 71}}
    secret, body = doorbell_secret(olist), json.dumps(notice).encode()

    answers = all_at_once(lambda: ring(secret, body, FETCHED_BY))

    assert answers == [{"ok": True}] * AT_ONCE
    assert Ring.objects.get().record_id == "71"
