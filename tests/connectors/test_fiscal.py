"""The examples that were worked out for these numbers (domain.md, sections 4.1 and 4.2)."""

import pytest

from connectors.fiscal import check_digit, cnpj_is_valid, compact, nfe_key_is_valid, punctuated


@pytest.mark.parametrize(
    "cnpj", ["12ABC34501DE35", "00000000000191", "0X0J92JY000196", "33000167000101"]
)
def test_a_cnpj_is_valid_with_letters_and_without(cnpj: str) -> None:
    assert cnpj_is_valid(cnpj)


@pytest.mark.parametrize(
    "cnpj",
    [
        "12ABC34501DE36",  # last digit wrong
        "12ABC34501DE45",  # first digit wrong
        "21ABC34501DE35",  # two characters changed places
        "12abc34501de35",  # not the compact form
        "12.ABC.345/01DE-35",
        "12ABC34501DEA5",  # check digits have no letters
        "12345013500135",  # what is left of a CNPJ whose letters somebody dropped
        "00000000000000",
        "12ABC34501DE3",
        "12ABC34501DE350",
        "12ABC34501DE35\n",
        "１2ABC34501DE35",  # a digit, but not one of ours
        "",
    ],
)
def test_a_cnpj_that_nobody_has_is_refused(cnpj: str) -> None:
    assert not cnpj_is_valid(cnpj)


def test_the_check_digits_of_the_notes_own_example() -> None:
    assert check_digit("12ABC34501DE") == "3"
    assert check_digit("12ABC34501DE3") == "5"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("12.abc.345/01de-35", "12ABC34501DE35"),
        (" 33.000.167/0001-01\n", "33000167000101"),
        ("3526 0712 ABC3", "35260712ABC3"),
    ],
)
def test_a_mask_goes_and_letters_stay(typed: str, stored: str) -> None:
    assert compact(typed) == stored


@pytest.mark.parametrize(
    "key",
    [
        "43171207364617000135550000000120141000120146",
        "35210320695448000184550010000035891981839923",
        "35260712ABC34501DE35550010000001231123456787",
    ],
)
def test_an_invoice_key_is_valid_with_letters_and_without(key: str) -> None:
    assert nfe_key_is_valid(key)


@pytest.mark.parametrize(
    "key",
    [
        "43171207364617000135550000000120141000120147",  # last digit wrong
        "35260712ABC34501DE35550010000001231123456788",
        "35260712abc34501de35550010000001231123456787",  # not the compact form
        "3526071212345013500135550010000001231123456",  # one character short
        "A5260712ABC34501DE35550010000001231123456787",  # a letter outside the CNPJ
        "35260712ABC34501DE35550010000001231123456787\n",
        "",
    ],
)
def test_an_invoice_key_that_no_invoice_has_is_refused(key: str) -> None:
    assert not nfe_key_is_valid(key)


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ("52998224725", "529.982.247-25"),
        ("12ABC34501DE35", "12.ABC.345/01DE-35"),
        ("529.982.247-25", "529.982.247-25"),
        ("52998224726", "52998224726"),
        ("passaporte X", "passaporte X"),
        ("", ""),
    ],
)
def test_a_document_is_shown_as_people_write_it(document: str, shown: str) -> None:
    assert punctuated(document) == shown
