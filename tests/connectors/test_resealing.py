"""A new key, with data in place."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from connectors.messages.delivery import webhook_secrets
from connectors.messages.doorbells import install_doorbell
from connectors.models import Credential, Failure, SecondFactor, SharedToken, Store
from connectors.resealing import SEALED
from connectors.sealing import seal, unseal
from connectors.second_factor import key_of, offered
from connectors.trouble.originals import covered, originals_of
from tests.conftest import make_managed, make_partner


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_after_it_the_old_key_can_be_thrown_away(
    store: Store, operator: User, settings: LazySettings
) -> None:
    partner = make_partner(store, "rocky")
    managed = make_managed(
        store, "olist", "https://erp.example", {"token": "t", "integrator_id": "1"}
    )
    install_doorbell(managed)
    received = managed.credentials.get()
    SharedToken.objects.create(credential=received, sealed=seal({"access": "a", "refresh": "r"}))
    Failure.objects.create(
        activation=managed, flow="orders", kind="rejected", **covered({"payer_cpf": "39053344705"})
    )
    key = key_of(offered(operator))
    new, old = Fernet.generate_key().decode(), settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [new, *old]

    first, second = rotate(), rotate()

    settings.CREDENTIAL_KEYS = [new]
    assert "credential: 2" in first
    assert set(second.split()) & set("123456789") == set()
    assert managed.account().credentials["token"] == "t"
    assert webhook_secrets(partner.activation.pk) == [partner.issued.webhook_secret]
    assert key_of(SecondFactor.objects.get()) == key
    assert originals_of(Failure.objects.get())[0] == {"payer_cpf": "39053344705"}
    for model in SEALED:
        rows = model._default_manager.exclude(sealed="")
        assert rows.exists()
        for sealed in rows.values_list("sealed", flat=True):
            assert unseal(sealed)


def test_what_was_written_meanwhile_stays(
    store: Store, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_partner(store, "rocky")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    newer = seal({"webhook_secret": "whsec_novo"})

    def is_newest(_sealed: str) -> bool:
        Credential.objects.update(sealed=newer)
        return False

    monkeypatch.setattr("connectors.resealing.is_newest", is_newest)
    rotate()

    assert Credential.objects.get().sealed == newer


def test_every_column_that_is_sealed_is_sealed_anew() -> None:
    sealed = {
        model
        for model in apps.get_models()
        if any(field.name == "sealed" for field in model._meta.fields)
    }

    assert sealed == set(SEALED)


def test_what_no_key_opens_any_more_is_named_and_stops_nothing(
    store: Store, settings: LazySettings
) -> None:
    lost = make_partner(store, "rocky").activation.credentials.get()
    old, new = settings.CREDENTIAL_KEYS, Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    other = make_partner(store, "webstore")
    settings.CREDENTIAL_KEYS = [new, *settings.CREDENTIAL_KEYS]

    with pytest.raises(CommandError, match=f"credential: 1 .*: {lost.pk}$"):
        rotate()

    settings.CREDENTIAL_KEYS = [new]
    assert webhook_secrets(other.activation.pk) == [other.issued.webhook_secret]
    settings.CREDENTIAL_KEYS = [new, *old]
    assert "credential: 1" in rotate()
