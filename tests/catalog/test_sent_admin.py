"""What channels were sent, as the operator looks it up and sends it again."""

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Sent
from connectors.models import Store
from tests.conftest import make_managed
from tests.connectors.admin.conftest import somebody_who_may

LIST = "/admin/catalog/sent/"
PLUGGTO = {"client_id": "c", "client_secret": "s", "api_user": "u", "api_secret": "p"}


@pytest.fixture
def sent(store: Store) -> list[Sent]:
    activation = make_managed(store, "pluggto", "https://hub.example.com", PLUGGTO)
    states = (
        {"digest": "d", "answered_at": timezone.now()},
        {"digest": "d", "refused": "r"},
        {"digest": "d", "changed_at": timezone.now()},
        {},
    )
    return [
        Sent.objects.create(
            activation=activation, flow="stock", code=f"C-{n}",
            product=store.products.create(sku=f"SKU-{n}"), **state,
        )
        for n, state in enumerate(states)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("situation", "code"),
    [("sent", "C-0"), ("refused", "C-1"), ("waiting", "C-2"), ("nothing", "C-3")],
)
def test_each_situation_is_a_filter_and_says_the_same_of_each(
    admin_client: Client, sent: list[Sent], situation: str, code: str
) -> None:
    rows = admin_client.get(LIST, {"situation": situation}).context["cl"].result_list

    assert [(each.code, each.situation) for each in rows] == [(code, situation)]


@pytest.mark.parametrize("wanted", ["SKU-2", "C-2"])
def test_it_is_found_by_our_sku_and_by_the_channels_code(
    admin_client: Client, sent: list[Sent], wanted: str
) -> None:
    rows = admin_client.get(LIST, {"q": wanted}).context["cl"].result_list

    assert [each.pk for each in rows] == [sent[2].pk]


def test_what_was_chosen_is_sent_again(admin_client: Client, sent: list[Sent]) -> None:
    data = {"action": "send_again_selected", "_selected_action": [sent[0].pk, sent[1].pk]}

    page = admin_client.post(LIST, data, follow=True).content.decode()

    assert "Voltam a ser enviados: 2." in page
    again = Sent.objects.to_compare().filter(digest="", refused="")
    assert {each.pk for each in again} == {sent[0].pk, sent[1].pk}


def test_who_may_only_look_does_not_send(sent: list[Sent]) -> None:
    data = {"action": "send_again_selected", "_selected_action": [sent[0].pk]}

    somebody_who_may("view_sent").post(LIST, data)

    sent[0].refresh_from_db()
    assert sent[0].digest == "d"
