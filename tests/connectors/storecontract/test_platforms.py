import pytest

from connectors.contract import (
    Account,
    FulfilmentSource,
    OrderSink,
    PriceSource,
    ProductSource,
    StockSource,
)
from connectors.linx.client import Linx
from connectors.otimo.client import Otimo
from connectors.registry import SPECS
from connectors.rocky.client import Rocky
from connectors.storecontract.client import StoreContract
from connectors.webstore.client import Webstore
from tests.connectors.conftest import abilities_of
from tests.connectors.storecontract.conftest import TOKEN

CLIENTS = [spec.client for spec in SPECS.values() if spec.client]
SERVED = [client for client in CLIENTS if issubclass(client, StoreContract)]
WITHOUT_CATALOGUE = {PriceSource, StockSource, OrderSink, FulfilmentSource}


def test_the_contract_itself_claims_no_ability():
    assert abilities_of(StoreContract) == set()


@pytest.mark.parametrize("client", [Rocky, Webstore, Linx])
def test_a_platform_with_a_catalogue_can_do_all_of_the_contract(client):
    assert abilities_of(client) == WITHOUT_CATALOGUE | {ProductSource}


def test_otimo_has_no_products():
    assert abilities_of(Otimo) == WITHOUT_CATALOGUE


@pytest.mark.parametrize("client", SERVED, ids=lambda client: client.__name__)
def test_a_platforms_client_speaks_to_its_shop(client, shop, sandbox):
    client(Account(f"{sandbox.url}/loja", {"token": TOKEN})).check()
