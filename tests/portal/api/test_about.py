"""What the hub says of itself, and what it says that it does not have."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connectors.models import Store
from tests.conftest import make_partner
from tests.orders.samples import small_order


def test_the_time_needs_no_token(db):
    response = Client().get("/api/time")

    assert response.status_code == 200
    assert list(response.json()) == ["time"]
    assert response.json()["time"].endswith("Z")
    difference = timezone.now() - datetime.fromisoformat(response.json()["time"])
    assert abs(difference) < timedelta(seconds=10)


def test_the_current_user_is_the_store(store: Store):
    partner = make_partner(store, "rocky")
    store.members.add(User.objects.create(username="sem-endereco"))
    store.members.add(User.objects.create(username="ana", email="ana@loja.example"))

    response = partner.get("/users")

    assert response.status_code == 200
    assert response.json() == {
        "data": {
            "id": store.pk,
            "name": store.name,
            "email": "ana@loja.example",
            "status": "active",
        }
    }


def test_a_store_without_members_has_no_address(store: Store):
    assert make_partner(store, "rocky").get("/users").json()["data"]["email"] is None


def test_a_member_who_was_switched_off_lends_his_address_no_more(store: Store):
    partner = make_partner(store, "rocky")
    gone = User.objects.create(username="foi", email="foi@loja.example", is_active=False)
    store.members.add(gone)

    assert partner.get("/users").json()["data"]["email"] is None


def test_the_current_user_is_nobody_elses_business(db):
    assert Client().get("/api/users").status_code == 401


def test_the_old_singular_address_is_the_orders(store: Store):
    pluga = make_partner(store, "pluga")

    created = pluga.post("/order", small_order())
    listed = pluga.get("/order")

    assert created.status_code == 201
    assert [row["Order"]["id"] for row in listed.json()["result"]] == [
        created.json()["Order"]["id"]
    ]
    assert pluga.get(f"/order/{created.json()['Order']['id']}").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/messages", "/Messages/", "/messages/1", "/places", "/places/1/2", "/clientInfo/123"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_nobody_has_seen_is_not_invented(db, method, path):
    response = Client().generic(method, "/api" + path)

    assert response.status_code == 404
    assert response.json() == {
        "error": True,
        "type": "not_available",
        "message": "An error occurred, see details for more information.",
        "details": f"the portal does not serve /api{path}",
    }


@pytest.mark.parametrize("path", ["/messagesx", "/place"])
def test_what_only_looks_like_it_is_not_found(db, path):
    assert Client().get("/api" + path).json()["type"] == "not_found"
