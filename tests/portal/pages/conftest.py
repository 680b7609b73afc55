import pytest
from django.contrib.auth.models import User
from django.test import Client

from connectors.models import Store
from tests.conftest import Partner, make_partner


@pytest.fixture
def merchant(store: Store) -> User:
    merchant = User.objects.create_user("lojista", password="senha-da-lojista")
    store.members.add(merchant)
    return merchant


@pytest.fixture
def page(merchant: User) -> Client:
    """The merchant's browser, logged in."""
    client = Client()
    client.force_login(merchant)
    return client


@pytest.fixture
def channel(store: Store) -> Partner:
    return make_partner(store, "pluga", name="Pluga da loja")
