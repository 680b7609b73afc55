"""Rocky's API for ERPs as a source of the catalogue, over HTTP against the sandbox."""

import pytest

from catalog.models import Product
from catalog.services import save_product
from catalog.tasks import pull_prices, pull_stock
from connectors.contract import PriceSource, StockSource
from connectors.models import ActivationFlow, Connector, Failure, State
from connectors.sandbox.faults import Faults
from connectors.sandbox.messages import Response
from tests.catalog.test_comparing import compared, found
from tests.conftest import flow_of
from tests.connectors.day import Day, levels
from tests.connectors.rockyerp.test_mapping import PRODUCT, VARIATION

pytestmark = pytest.mark.django_db(transaction=True)

LEVELS = {PriceSource: pull_prices, StockSource: pull_stock}
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


def test_what_is_deleted_there_is_shown_with_what_is_offered_of_it_here(day, platform):
    pull(day, platform)
    del platform.products[80]
    pull(day, platform)
    assert levels(day.store)["CANECA"] == (25, 9)

    comparison = compared(platform.activation)

    assert found(comparison) == [
        ("prices", "missing_there", "CANECA", "25,00", ""),
        ("products", "missing_there", "CANECA", "Caneca", ""),
        ("stock", "missing_there", "CANECA", "9", ""),
    ]


def test_what_changed_there_changes_here_and_nothing_else_does(day, platform):
    pull(day, platform)
    save_product(day.store, "CANECA", {"ncm": "6912.00.00"}, None)
    platform.control("put_product", {"id": 80, "preco": "20", "quantidade": 1})

    pull(day, platform)

    assert levels(day.store)["CANECA"] == (20, 1)
    assert levels(day.store)["CAMISA-P"] == (99.9, 12)
    assert Product.objects.get(sku="CANECA").fields["ncm"] == "6912.00.00"


def test_nobody_misses_a_variation_that_is_not_on_sale_there(day, platform):
    pull(day, platform)

    assert not Product.objects.filter(sku="CAMISA-G").exists()
    assert not Failure.objects.exists()


def test_what_was_a_failure_for_that_is_one_no_longer(day, platform):
    platform.control("put_variation", {"id": 713, "status": 1})
    for ability in (PriceSource, StockSource):
        LEVELS[ability](flow_of(platform.activation, ability))
    failed = set(Failure.objects.open().values_list("record_id", flat=True))
    platform.control("put_variation", {"id": 713, "status": 2})

    pull(day, platform)

    assert "CAMISA-G" in failed
    assert not Failure.objects.open().exists()


def test_one_that_the_store_has_and_that_goes_off_sale_has_nothing_left(day, platform):
    platform.control("put_variation", {"id": 713, "status": 1})
    pull(day, platform)
    before = levels(day.store)["CAMISA-G"]
    platform.control("put_variation", {"id": 713, "status": 2})

    pull(day, platform)

    assert (before, levels(day.store)["CAMISA-G"]) == ((99.9, 12), (99.9, 0))
    assert not Failure.objects.open().exists()


def test_one_that_is_not_on_sale_and_is_entered_here_has_its_price_with_the_next_run(day, platform):
    pull(day, platform)
    save_product(day.store, "CAMISA-G", {"name": "Camisa G"}, None)

    pull(day, platform)

    assert levels(day.store)["CAMISA-G"] == (99.9, 0)


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


@pytest.mark.parametrize("path", [("products",), ("products", "variations")])
def test_an_answer_without_its_list_is_no_empty_list(day, platform, monkeypatch, path):
    pull(day, platform)
    before = levels(day.store)
    handle = platform.handle

    def mute(request):
        is_asked = request.path == (*path, "allResults")
        return Response({"message": "Em manutenção"}) if is_asked else handle(request)

    monkeypatch.setattr(platform, "handle", mute)
    pull(day, platform)

    assert levels(day.store) == before
    flows = ActivationFlow.objects.filter(activation=platform.activation)
    assert all(flow.failures_in_a_row for flow in flows)


def test_it_sends_nothing_there_and_says_what_it_cannot_do(day, platform):
    order = day.place_order("approved")
    pull(day, platform)
    connector = Connector.objects.get(slug="rockyerp")

    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert not order.links.filter(activation=platform.activation).exists()
    assert "experimental" in page
    assert "Não disponível" in page
    assert "pedidos: não se conhece chamada que crie, aprove ou cancele um" in page
