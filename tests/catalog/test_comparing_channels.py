"""What a channel holds compared with what it is offered: the sandbox's hub, over real HTTP.
Somebody else's program changes things there meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from django.utils import timezone

from catalog import comparing_channels
from catalog.comparing_channels import compare_all_channels, compare_channel
from catalog.fetching import fetch_asked
from catalog.models import Sent, SkuMapping
from catalog.resending import send_asked
from catalog.services import change_stock, delete_product
from connectors.comparisons import ask_to_mend, compare_now
from connectors.contract import Account
from connectors.errors import NotAllowed
from connectors.models import Activation, Comparison, Difference, Listed, Run, State, Store
from connectors.pluggto import client as pluggto
from connectors.pluggto.client import Pluggto
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.sandbox.hub import Hub
from connectors.sandbox.messages import Response
from tests.catalog.test_comparing import die_at_the_end, found
from tests.catalog.test_push import CREDENTIALS, MUG, SHIRT, calls, run_all, save, told
from tests.conftest import make_activation, make_managed, make_operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub(sandbox: Any) -> Hub:
    return sandbox.open("hub", "compared", CREDENTIALS)


@pytest.fixture
def channel(store: Store, sandbox: Any, hub: Hub) -> Activation:
    """It was told a mug and a shirt in two sizes, an hour ago."""
    channel = make_managed(store, "pluggto", f"{sandbox.url}/{hub.name}", CREDENTIALS)
    save(store, MUG)
    save(store, SHIRT)
    run_all(channel)
    settle()
    return channel


@pytest.fixture
def somebody(sandbox: Any, hub: Hub) -> Pluggto:
    return Pluggto(Account(f"{sandbox.url}/{hub.name}", CREDENTIALS))


def settle() -> None:
    Sent.objects.update(answered_at=timezone.now() - timedelta(hours=1), changed_at=None)


def begun(channel: Activation) -> Comparison:
    return channel.comparisons.create(purpose=Comparison.Purpose.CHANNEL)


def step(comparison: Comparison) -> Comparison:
    compare_channel(comparison.pk)
    comparison.refresh_from_db()
    return comparison


def compared(channel: Activation) -> Comparison:
    comparison = step(begun(channel))
    assert comparison.ended_at is not None
    return comparison


def test_one_whose_worker_dies_at_its_end_finds_nothing_twice(
    channel: Activation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, {**MUG, "sku": "CAN-99"})
    settle()
    comparison = begun(channel)
    die_at_the_end(monkeypatch, lambda: compare_channel(comparison.pk))

    assert [row[:3] for row in found(step(comparison))] == [("products", "missing_there", "CAN-99")]
    assert comparison.counts["products"]["missing_there"] == 1


def mend_all(channel: Activation) -> None:
    ask_to_mend(Difference.objects.all(), make_operator())
    send_asked()
    run_all(channel)


def many(store: Store, number: int) -> None:
    for each in range(number):
        save(store, {"sku": f"C-{each:02}", "name": f"Coisa {each}", "price": "9.9", "quantity": 1})


def test_where_both_sides_agree_there_is_nothing_to_list(channel):
    comparison = compared(channel)

    assert found(comparison) == []
    assert comparison.reason == ""
    assert comparison.counts == {
        "products": {"theirs": 4, "ours": 4, "same": 4},
        "prices": {"theirs": 4, "ours": 4, "same": 4},
        "stock": {"theirs": 3, "ours": 3, "same": 3},
    }
    assert not Listed.objects.exists()


def test_whatever_somebody_did_there_is_listed(channel, somebody):
    somebody.remove_product("CANECA")
    somebody.remove_product("CAMISETA-G")
    somebody.push_product(ProductRecord("CHAPEU", {"name": "Chapéu"}))
    somebody.push_price(PriceRecord("CAMISETA-P", 70, 65, "CAMISETA"))
    somebody.push_stock(StockRecord("CAMISETA-P", 99))

    comparison = compared(channel)

    assert found(comparison) == [
        ("prices", "update", "CAMISETA-P", "79,90", "70,00 / 65,00"),
        ("products", "missing_there", "CAMISETA-G", "Camiseta G", ""),
        ("products", "missing_there", "CANECA", "Caneca", ""),
        ("products", "surplus", "CHAPEU", "", ""),
        ("stock", "update", "CAMISETA-P", "3", "99"),
    ]
    assert comparison.counts["products"] == {
        "theirs": 3, "ours": 4, "same": 2, "missing_there": 2, "surplus": 1,
    }  # fmt: skip


def test_comparing_writes_nothing_to_either_side(channel, hub, somebody, monkeypatch):
    somebody.remove_product("CANECA")
    runs, heard = Run.objects.count(), calls(hub, monkeypatch)

    compared(channel)

    assert set(heard) == {("GET", "products")}
    assert Run.objects.count() == runs
    assert not Sent.objects.to_compare().exists()


def test_what_is_asked_for_is_sent_and_then_both_sides_agree(channel, hub, somebody):
    before = told(hub)
    somebody.remove_product("CANECA")
    somebody.remove_product("CAMISETA-G")
    somebody.push_price(PriceRecord("CAMISETA-P", 70, 65, "CAMISETA"))
    somebody.push_stock(StockRecord("CAMISETA-P", 99))
    compared(channel)

    mend_all(channel)

    assert told(hub) == before
    results = set(Difference.objects.values_list("result", flat=True))
    assert results == {"Enviado outra vez."}
    assert not Difference.objects.to_do().exists()
    settle()
    assert found(compared(channel)) == []


def test_only_what_was_chosen_is_sent(channel, hub, somebody, monkeypatch):
    somebody.push_price(PriceRecord("CANECA", 1))
    somebody.push_stock(StockRecord("CANECA", 99))
    compared(channel)
    heard = calls(hub, monkeypatch)

    ask_to_mend(Difference.objects.filter(flow="stock"), make_operator())
    send_asked()
    run_all(channel)

    assert heard == [("PUT", "skus/CANECA/stock")]
    assert told(hub)["CANECA"] == (1, None, 12)


def test_a_whole_family_that_was_deleted_comes_back_with_its_levels(channel, hub, somebody):
    before = told(hub)
    somebody.remove_product("CAMISETA")
    compared(channel)

    mend_all(channel)

    assert told(hub) == before


def test_what_the_channel_has_too_much_is_only_listed(channel, somebody, hub):
    somebody.push_product(ProductRecord("CHAPEU", {"name": "Chapéu"}))
    compared(channel)

    assert ask_to_mend(Difference.objects.all(), make_operator()) == 0
    assert "CHAPEU" in told(hub)


def test_what_is_asked_for_is_not_fetched_by_a_source(channel, somebody):
    somebody.push_stock(StockRecord("CANECA", 99))
    compared(channel)
    ask_to_mend(Difference.objects.all(), make_operator())

    fetch_asked()

    assert Difference.objects.to_do().count() == 1


def test_a_product_that_the_store_deleted_meanwhile_is_not_sent(channel, store, somebody):
    somebody.remove_product("CANECA")
    compared(channel)
    delete_product(store, store.products.get(sku="CANECA").pk, None)

    ask_to_mend(Difference.objects.all(), make_operator())
    send_asked()

    assert Difference.objects.get().result == "A loja não tem mais este SKU."


def test_while_the_integration_is_paused_what_was_asked_for_waits(channel, somebody):
    somebody.remove_product("CANECA")
    compared(channel)
    ask_to_mend(Difference.objects.all(), make_operator())
    Activation.objects.update(state=State.PAUSED)

    send_asked()

    assert Difference.objects.to_do().count() == 1
    Activation.objects.update(state=State.ACTIVE)
    send_asked()
    assert not Difference.objects.to_do().exists()


def test_what_was_told_or_changed_a_moment_ago_is_no_difference(channel, store):
    change_stock(store, store.products.get(sku="CANECA").pk, "update", 5, None)
    save(store, {"sku": "NOVO", "name": "Novo", "quantity": 1})

    assert found(compared(channel)) == []


def test_the_channels_own_codes_are_compared(channel, store, somebody):
    product = store.products.get(sku="CANECA")
    SkuMapping.objects.create(activation=channel, product=product, code="9001")
    somebody.push_product(ProductRecord("9001", {"name": "Caneca"}))

    differences = found(compared(channel))

    assert differences == [
        ("prices", "update", "9001", "39,90 / 29,90", ""),
        ("products", "surplus", "CANECA", "", "39,90 / 29,90"),
        ("stock", "update", "9001", "12", "0"),
    ]


def test_it_goes_on_where_its_minute_ended(channel, store, hub, somebody, monkeypatch):
    many(store, 7)
    run_all(channel)
    settle()
    somebody.remove_product("C-06")
    monkeypatch.setattr(pluggto, "PAGE_SIZE", 3)
    monkeypatch.setattr(comparing_channels, "STEP_SECONDS", -1)
    heard = calls(hub, monkeypatch)
    comparison = begun(channel)

    steps = 0
    while comparison.ended_at is None:
        step(comparison)
        steps += 1

    assert steps == 4
    assert len(heard) == 4
    assert found(comparison) == [("products", "missing_there", "C-06", "Coisa 6", "")]
    assert comparison.counts["products"]["same"] == 10


@pytest.mark.parametrize("status", [429, 503])
def test_a_channel_in_trouble_is_asked_again_from_the_same_page_on(
    channel, store, hub, somebody, monkeypatch, status
):
    many(store, 4)
    run_all(channel)
    settle()
    somebody.push_stock(StockRecord("CANECA", 99))
    monkeypatch.setattr(pluggto, "PAGE_SIZE", 3)
    handle = hub.handle

    def troubled(request: Any) -> Any:
        if request.query.get("next"):
            return Response({}, status, {"Retry-After": "120"})
        return handle(request)

    monkeypatch.setattr(hub, "handle", troubled)
    comparison = step(begun(channel))
    first = comparison.cursor
    monkeypatch.setattr(hub, "handle", handle)
    wait = comparison.due_at - timezone.now()
    step(comparison)

    assert first
    assert timedelta(seconds=100) < wait <= timedelta(seconds=120)
    assert comparison.ended_at is not None
    assert found(comparison) == [("stock", "update", "CANECA", "12", "99")]


@pytest.fixture
def broken(channel: Activation) -> Any:
    """Its list, in the hands of the test."""
    Activation.objects.update(plugin_url="https://api.plugg.to")
    channel.refresh_from_db()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as far_side:
        token = {"access_token": "t", "expires_in": 3600}
        far_side.post("https://api.plugg.to/oauth/token", json=token)
        yield far_side


@pytest.mark.parametrize(
    "answer",
    [
        {"body": '{"total": 2, "resu'},
        {"json": {"limit": 100, "result": ["oi"]}},
        {"json": {"limit": 1, "result": [{"Product": {"id": "1", "sku": "CANECA"}}]}},
    ],
)
def test_a_page_that_nobody_can_read_ends_it_and_nothing_is_said_to_be_missing(
    channel, broken, answer
):
    broken.get("https://api.plugg.to/products", **answer)

    comparison = compared(channel)

    assert comparison.reason.startswith(("GET products: ", "$.result[0]: "))
    assert not comparison.differences.filter(kind="missing_there").exists()


def test_a_product_that_nobody_can_read_is_shown_and_its_family_is_not_missing(channel, broken):
    mug = {"id": "1", "sku": "CANECA", "price": 39.9, "special_price": 29.9, "quantity": 12}
    shirt = {"id": "2", "sku": "CAMISETA", "price": "caro"}
    rows = [{"Product": each} for each in (mug, shirt, mug)]
    broken.get("https://api.plugg.to/products", json={"limit": 100, "result": rows})

    comparison = compared(channel)

    assert [row[:3] for row in found(comparison)] == [("products", "unreadable", "CAMISETA")]
    assert comparison.counts["products"]["theirs"] == 1


def test_refused_credentials_end_it_with_the_reason(channel, hub):
    hub.credentials = {**hub.credentials, "client_secret": "another"}
    hub.tokens.clear()
    hub.refresh_tokens.clear()

    assert "Client" in compared(channel).reason


def test_each_channel_has_its_turn_once_a_day(channel):
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))

    compare_all_channels()
    compare_all_channels()

    comparison = channel.comparisons.get()
    assert comparison.purpose == "channel"
    step(comparison)
    Comparison.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    compare_all_channels()
    assert channel.comparisons.count() == 2


def test_only_channels_that_list_what_they_hold_are_compared(store):
    make_managed(store, "webstore", "https://loja.example.com.br", {"token": "t"})
    Activation.objects.update(created_at=timezone.now() - timedelta(days=2))

    compare_all_channels()

    assert not Comparison.objects.exists()


def test_it_is_made_any_time_and_asked_twice_it_is_made_once(channel, store):
    by = make_operator()

    asked = [compare_now(channel, by) for _ in range(2)]

    assert asked[0] == asked[1]
    assert (asked[0].purpose, asked[0].asked_by) == ("channel", by)
    source = make_managed(store, "webstore", "https://loja.example.com.br", {"token": "t"})
    assert compare_now(source, by).purpose == "catalogue"
    with pytest.raises(NotAllowed, match="não tem catálogo que o portal possa ler"):
        compare_now(make_activation(store, "rocky"), by)


def test_the_hubs_list_is_searched_and_paged(channel, sandbox, hub):
    token = {"access_token": next(iter(hub.tokens))}

    def listed(**query: Any) -> list[str]:
        url = f"{sandbox.url}/{hub.name}/products"
        answer = requests.get(url, params={**token, **query}, timeout=5).json()
        return [row["Product"]["sku"] for row in answer["result"]]

    first = hub.shelves.products["CANECA"]["id"]
    assert listed() == ["CANECA", "CAMISETA"]
    assert listed(next=first) == listed(bysku="CAMISETA-G") == ["CAMISETA"]
    assert listed(id=first) == listed(limit=1) == ["CANECA"]
    assert listed(bysku="NADA") == listed(created="2020-01-01to2020-01-02") == []
