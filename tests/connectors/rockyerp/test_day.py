"""Rocky's API for ERPs as a source of the catalogue, over HTTP against the sandbox."""

import pytest

from catalog.models import Product
from catalog.services import save_product
from connectors.models import ActivationFlow, Connector, Failure, State
from connectors.sandbox.faults import Faults
from tests.connectors.day import Day, levels
from tests.connectors.rockyerp.test_mapping import PRODUCT, VARIATION

pytestmark = pytest.mark.django_db(transaction=True)

MUG = {**PRODUCT, "id": 80, "ref": "CANECA", "nome": "Caneca", "preco": "25", "quantidade": 9}


@pytest.fixture
def platform(day: Day):
    platform = day.open("rocky_erp", token="token-da-loja")
    platform.control("put_product", PRODUCT)
    platform.control("put_product", MUG)
    platform.control("put_variation", VARIATION)
    platform.control("put_variation", {**VARIATION, "id": 713, "sku": "CAMISA-G", "status": 2})
    platform.activation = day.switch_on_managed(
        "rockyerp", platform, credential_token="token-da-loja"
    )
    return platform


def pull(day, platform):
    day.run_flows(platform.activation)
    day.run_flows(platform.activation)


def test_products_prices_and_stock_are_read(day, platform):
    pull(day, platform)

    assert Product.objects.get(sku="CAMISA-P").parent.sku == "CAMISA"
    assert levels(day.store) == {
        "CAMISA": (None, 0),
        "CAMISA-P": (99.9, 12),
        "CANECA": (25, 9),
    }
    assert Product.objects.get(sku="CAMISA").fields["brand"] == "Exemplo"


def test_what_changed_there_changes_here_and_nothing_else_does(day, platform):
    pull(day, platform)
    save_product(day.store, "CANECA", {"ncm": "6912.00.00"}, None)
    platform.control("put_product", {"id": 80, "preco": "20", "quantidade": 1})

    pull(day, platform)

    assert levels(day.store)["CANECA"] == (20, 1)
    assert levels(day.store)["CAMISA-P"] == (99.9, 12)
    assert Product.objects.get(sku="CANECA").fields["ncm"] == "6912.00.00"


def test_one_product_that_cannot_be_read_stops_no_other(day, platform):
    platform.control("put_product", {"id": 90, "ref": "", "nome": "Sem código", "preco": "1"})

    pull(day, platform)

    assert levels(day.store)["CANECA"] == (25, 9)
    assert "neither sku nor ref" in Failure.objects.filter(resolved_at=None)[0].reason


def test_a_wrong_token_pauses_it(day):
    platform = day.open("rocky_erp", token="token-da-loja")

    activation = day.switch_on_managed("rockyerp", platform, credential_token="another")

    assert (activation.state, activation.paused_reason) == (
        State.PAUSED,
        "GET categories: HTTP 401",
    )


def test_a_platform_that_breaks_off_its_answers_is_asked_again(day, platform):
    platform.faults = Faults({"truncated": 1})
    pull(day, platform)
    failing = ActivationFlow.objects.filter(
        activation=platform.activation, failures_in_a_row__gt=0
    ).count()

    platform.faults = Faults({})
    pull(day, platform)

    assert failing > 0
    assert levels(day.store)["CANECA"] == (25, 9)


def test_it_sends_nothing_there_and_says_what_it_cannot_do(day, platform):
    order = day.place_order("approved")
    pull(day, platform)
    connector = Connector.objects.get(slug="rockyerp")

    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert not order.links.filter(activation=platform.activation).exists()
    assert "experimental" in page
    assert "Não disponível" in page
    assert "pedidos: não se conhece chamada que crie, aprove ou cancele um" in page
