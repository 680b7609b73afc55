"""The address at which a platform rings, as the operator finds it."""

from django.test import Client

from connectors.messages.doorbells import doorbell_secret, install_all_doorbells
from connectors.models import Activation, Doorbell, Ring, Store
from tests.conftest import make_managed, make_partner
from tests.connectors.admin.conftest import page_of, somebody_who_may

RECEIVED = {"integrator_id": "10482", "token": "t"}


def make_olist(store: Store) -> Activation:
    return make_managed(store, "olist", "https://api.tiny.com.br/api2/", RECEIVED)


def test_the_operator_copies_the_address_whole(store: Store, admin_client: Client) -> None:
    olist = make_olist(store)

    page = admin_client.get(page_of(olist), secure=True).content.decode()

    assert f">https://testserver/webhooks/{doorbell_secret(olist)}<" in page


def test_what_was_activated_before_its_connector_listened_gets_an_address(store: Store) -> None:
    olist = make_olist(store)
    Doorbell.objects.all().delete()

    install_all_doorbells()

    assert doorbell_secret(olist)


def test_who_may_only_look_does_not_see_it(store: Store) -> None:
    olist = make_olist(store)
    client = somebody_who_may("view_activation", "view_doorbell")

    page = client.get(page_of(olist))

    assert page.status_code == 200
    assert doorbell_secret(olist) not in page.content.decode()


def test_a_partner_has_no_such_address_and_gets_none(store: Store, admin_client: Client) -> None:
    partner = make_partner(store, "rocky").activation

    page = admin_client.get(page_of(partner)).content.decode()
    answer = admin_client.post(page_of(partner).replace("change", "replace-address"), follow=True)

    assert "data-address" not in page
    assert "não recebe avisos" in answer.content.decode()


def test_what_was_rung_for_is_listed_and_not_to_be_changed(
    store: Store, admin_client: Client
) -> None:
    stored = Ring.objects.create(
        activation=make_olist(store), ability="StockSource", record_id="714002319", times=3
    )

    listed = admin_client.get("/admin/connectors/ring/").content.decode()
    answer = admin_client.post(f"/admin/connectors/ring/{stored.pk}/change/", {"times": 1})

    assert "714002319" in listed
    assert answer.status_code == 403
