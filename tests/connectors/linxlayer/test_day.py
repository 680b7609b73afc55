"""A store's Layer API as a source of the catalogue, over HTTP against the sandbox."""

import pytest

from catalog.models import Product
from connectors.linxlayer import client
from connectors.models import ActivationFlow, Connector, Failure, State
from connectors.sandbox.messages import Response
from tests.connectors.day import Day
from tests.connectors.linxlayer.test_mapping import LARGE, PRODUCT, SMALL

pytestmark = pytest.mark.django_db(transaction=True)

WHO = {"user": "integracao", "password": "s3nh4"}
OLD = "2025-01-31T12:00:00-03:00"


@pytest.fixture
def platform(day: Day):
    platform = day.open("layer", **WHO)
    for verb, item in (("put_product", PRODUCT), ("put_sku", SMALL), ("put_sku", LARGE)):
        platform.control(verb, {**item, "at": OLD})
    platform.activation = switch_on(day, platform, WHO)
    return platform


def switch_on(day, platform, who):
    typed = {f"credential_{name}": value for name, value in who.items()}
    return day.switch_on_managed("linxlayer", platform, **typed)


def put_mug(platform, product_id=600, **fields):
    mug = {**PRODUCT, "ProductID": product_id, "SKU": "", "Name": "Caneca", "SkusID": [601]}
    platform.control("put_product", {**mug, **fields})
    platform.control("put_sku", {**SMALL, "ProductID": 601, "SKU": "CANECA", "ParentsID": [600]})


def test_products_are_read_with_their_skus(day, platform):
    put_mug(platform)

    day.run_flows(platform.activation)

    parents = dict(Product.objects.values_list("sku", "parent__sku"))
    assert parents == {
        "CAMISA": None,
        "CAMISA-P": "CAMISA",
        "CAMISA-G": "CAMISA",
        "CANECA": None,
    }
    assert Product.objects.get(sku="CANECA").ean == "7891234567895"
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_afterwards_only_what_changed_is_opened(day, platform, monkeypatch):
    day.run_flows(platform.activation)
    put_mug(platform)
    opened = []
    read = client.LinxLayer.read_product
    monkeypatch.setattr(
        client.LinxLayer,
        "read_product",
        lambda self, payload: opened.append(payload.whole("ProductID")) or read(self, payload),
    )

    day.run_flows(platform.activation)

    assert opened == [600]
    assert Product.objects.filter(sku="CANECA").exists()


def test_every_page_is_read(day, platform, monkeypatch):
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    for number in range(700, 705):
        sku = {**SMALL, "ProductID": number + 100, "SKU": f"P{number}"}
        platform.control("put_product", {**PRODUCT, "ProductID": number, "SkusID": [number + 100]})
        platform.control("put_sku", sku)

    day.run_flows(platform.activation)

    assert Product.objects.filter(parent=None).count() == 6


def test_what_was_opened_is_stored_though_the_run_dies_before_its_page_ends(
    day, platform, monkeypatch
):
    for number in range(700, 725):
        sku = {**SMALL, "ProductID": number + 100, "SKU": f"P{number}"}
        platform.control("put_product", {**PRODUCT, "ProductID": number, "SkusID": [number + 100]})
        platform.control("put_sku", sku)
    read, opened = client.LinxLayer.read_product, []

    def dies(self, payload):
        opened.append(payload)
        if len(opened) == 24:
            raise SystemExit  # as a worker that is killed for overtime
        return read(self, payload)

    monkeypatch.setattr(client.LinxLayer, "read_product", dies)

    with pytest.raises(SystemExit):
        day.run_flows(platform.activation)

    assert Product.objects.filter(parent=None).count() == 20


def test_the_rest_of_a_page_whose_reading_broke_off_is_read_later(day, platform, monkeypatch):
    put_mug(platform)
    handle = platform.handle

    def down(request):
        is_mug = request.path[-1] == "GetProduct" and request.json() == 600
        return Response({"Message": "down"}, 503) if is_mug else handle(request)

    monkeypatch.setattr(platform, "handle", down)
    day.run_flows(platform.activation)
    before = set(Product.objects.filter(parent=None).values_list("sku", flat=True))
    monkeypatch.undo()

    day.run_flows(platform.activation)

    assert before == {"CAMISA"}
    assert Product.objects.filter(sku="CANECA").exists()


def test_one_product_that_cannot_be_opened_stops_no_other(day, platform):
    put_mug(platform, SkusID=[999])

    day.run_flows(platform.activation)

    assert Product.objects.filter(sku="CAMISA").exists()
    assert "GetSKU: HTTP 404" in Failure.objects.get(resolved_at=None).reason


def test_a_wrong_password_pauses_it(day):
    platform = day.open("layer", **WHO)

    activation = switch_on(day, platform, {**WHO, "password": "another"})

    assert (activation.state, activation.paused_reason) == (
        State.PAUSED,
        "SearchProduct: HTTP 401",
    )


def test_it_says_what_it_cannot_do_and_has_no_flow_for_it(day, platform):
    connector = Connector.objects.get(slug="linxlayer")
    flows = ActivationFlow.objects.filter(activation=platform.activation)
    order = day.place_order("approved")

    page = day.browser.get(f"/admin/connectors/connector/{connector.pk}/change/").content.decode()

    assert [flow.flow for flow in flows] == ["products"]
    assert not order.links.filter(activation=platform.activation).exists()
    assert "Não disponível" in page
    assert "pedidos: não se conhece chamada que crie um" in page
