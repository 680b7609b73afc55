from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken

from connectors.sealing import seal, unseal

VALUES = {"token": "token-da-loja-Ω", "integrator_id": "4711"}


def test_what_is_sealed_can_be_opened_again() -> None:
    assert unseal(seal(VALUES)) == VALUES


def test_a_sealed_text_holds_neither_value_nor_name() -> None:
    sealed = seal(VALUES)

    for text in (*VALUES, *VALUES.values()):
        assert text not in sealed


def test_the_same_values_never_look_the_same() -> None:
    assert seal(VALUES) != seal(VALUES)


def test_an_earlier_key_still_opens_and_the_first_one_seals(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [old]
    sealed = seal(VALUES)
    settings.CREDENTIAL_KEYS = [new, old]

    resealed = seal(unseal(sealed))

    settings.CREDENTIAL_KEYS = [new]
    assert unseal(resealed) == VALUES


def test_a_wrong_key_opens_nothing(settings: Any) -> None:
    sealed = seal(VALUES)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(InvalidToken):
        unseal(sealed)


def test_what_was_altered_does_not_open() -> None:
    sealed = seal(VALUES)

    with pytest.raises(InvalidToken):
        unseal(sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:])
