"""What is taken out of a text, and what is left to be read."""

from time import monotonic

import pytest

from connectors.fiscal import cpf_is_valid
from connectors.redaction import MASK, without_people, without_secrets


@pytest.mark.parametrize(
    ("cpf", "is_valid"),
    [
        ("52998224725", True),
        ("12345678909", True),
        ("39053344705", True),
        ("52998224724", False),
        ("52998224735", False),
        ("11111111111", False),
        ("00000000000", False),
        ("1234567890", False),
        ("529.982.247-25", False),
        ("٥٢٩٩٨٢٢٤٧٢٥", False),
    ],
)
def test_a_cpf_is_known_by_its_digits(cpf: str, is_valid: bool) -> None:
    assert cpf_is_valid(cpf) is is_valid


def test_eleven_digits_that_are_no_cpf_are_a_code_and_stay() -> None:
    said = {"sku": "52998224724", "erro": "SKU 78912345678 sem estoque; pedido 20261130001"}

    assert without_people(said) == said


@pytest.mark.parametrize("text", ["52998224725", "529.982.247-25", "11987654321"])
def test_a_person_in_a_sentence_is_masked(text: str) -> None:
    assert without_people(f"recusado: {text}.") == f"recusado: {MASK}."


def test_what_is_known_of_the_buyer_is_masked_whatever_its_digits_say() -> None:
    assert without_people("documento 52998224724", {"529.982.247-24"}) == f"documento {MASK}"


@pytest.mark.parametrize("text", ["12ABC34501DE35", "12.abc.345/01de-35"])
def test_a_known_company_is_masked_however_its_number_is_written(text: str) -> None:
    known = {"12.ABC.345/01DE-35"}

    assert without_people(f"CNPJ {text} recusado", known) == f"CNPJ {MASK} recusado"


@pytest.mark.parametrize(
    "text",
    ["token" * 5000, '"' + "token" * 5000, "a" * 25_000, "a@" * 12_500, "1" * 25_000],
    ids=["secret", "quoted", "word", "address", "number"],
)
def test_a_text_that_somebody_made_to_keep_us_busy_does_not(text: str) -> None:
    began = monotonic()

    without_people(without_secrets({"answer": text, f"{text}-": "1"}), {"1" * 5000, "a " * 5000})

    assert monotonic() - began < 2


def test_an_address_within_others_is_masked() -> None:
    text = "de <ana.b+c@loja-1.com.br> a ana@b@loja.com"

    assert without_people(text) == f"de <{MASK}> a ana@{MASK}"


@pytest.mark.parametrize(
    "text", ["ana@loja.com+bia@loja.com", "12.345.678/0001-95.ana@loja.com"], ids=["+", "CNPJ"]
)
def test_an_address_that_another_ones_end_touches_is_masked(text: str) -> None:
    assert without_people(text) == MASK + MASK


@pytest.mark.parametrize("name", ["access_token", "ClientSecret", "MyPassword", "credentials"])
def test_a_secret_is_known_by_a_part_of_its_name(name: str) -> None:
    texts = {"form": f"a=1&{name}=abc&b=2", "json": f'{{"{name}": "abc"}}', name: "abc"}

    clean = {"form": f"a=1&{name}={MASK}&b=2", "json": f'{{"{name}": {MASK}}}', name: MASK}
    assert without_secrets(texts) == clean
