import re
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors.billing import billing_of, described, months_begun, set_billing
from connectors.errors import Refused
from connectors.models import Act, Activation, BillingTerm, Store
from tests.conftest import make_activation


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_activation(store, "rocky")


START = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("on", "months"),
    [
        (date(2026, 1, 30), 0),
        (date(2026, 1, 31), 1),
        (date(2026, 2, 27), 1),
        (date(2026, 2, 28), 2),
        (date(2026, 3, 30), 2),
        (date(2026, 3, 31), 3),
        (date(2027, 1, 31), 13),
    ],
)
def test_a_month_begins_on_its_day_or_on_the_last_of_a_shorter_one(on: date, months: int) -> None:
    assert months_begun(START, on) == months


def test_each_term_begins_where_the_one_before_ends(activation: Activation) -> None:
    set_billing(activation.pk, date(2026, 1, 1), [(3, Decimal(0)), (12, Decimal("149.90"))])

    billing = billing_of([activation.pk], date(2026, 5, 10))[activation.pk]

    assert [term.used for term in billing.terms] == [3, 2]
    assert (billing.used, billing.months) == (5, 15)
    assert str(billing) == "3 meses × R$ 0,00 (3 usados); 12 meses × R$ 149,90 (2 usados)"
    over = billing_of([activation.pk], date(2030, 1, 1))[activation.pk]
    assert over.used == over.months == 15
    early = billing_of([activation.pk], date(2025, 1, 1))[activation.pk]
    assert early.used == 0


def test_one_month_is_not_said_as_several_and_thousands_are_grouped(activation: Activation) -> None:
    set_billing(activation.pk, START, [(1, Decimal(1290)), (12, Decimal(1))])

    billing = billing_of([activation.pk], START)[activation.pk]

    assert str(billing) == "1 mês × R$ 1.290,00 (1 usado); 12 meses × R$ 1,00 (0 usados)"


def test_where_there_are_none_it_says_so(activation: Activation) -> None:
    assert billing_of([activation.pk], START) == {}
    assert described(None) == "Nada configurado"


def test_many_are_asked_for_in_one_query(store: Store) -> None:
    activations = [make_activation(store, "rocky").pk for _n in range(4)]
    for pk in activations:
        set_billing(pk, START, [(1, Decimal(1)), (2, Decimal(2))])

    with CaptureQueriesContext(connection) as queries:
        found = billing_of(activations, START)

    assert len(queries) == 1
    assert set(found) == set(activations)


def test_terms_without_a_beginning_are_refused_and_nothing_changes(activation: Activation) -> None:
    set_billing(activation.pk, START, [(1, Decimal(1))])

    with pytest.raises(Refused):
        set_billing(activation.pk, None, [(2, Decimal(2))])

    assert BillingTerm.objects.get().months == 1


def form(**typed: str) -> dict[str, str]:
    return {"terms": "", "form-TOTAL_FORMS": "3", "form-INITIAL_FORMS": "0", **typed}


def test_a_lead_types_the_terms_and_it_is_on_record(activation: Activation, operator: User) -> None:
    client, page = Client(), f"/admin/connectors/activation/{activation.pk}/billing/"
    client.force_login(operator)
    assert "Nada configurado" in client.get(page).content.decode()

    typed = form(
        starts_on="01/02/2026",
        **{
            "form-0-months": "6",
            "form-0-price": "99,90",
            "form-1-months": "6",
            "form-1-price": "120",
        },
    )
    answer = client.post(page, typed)

    assert answer.status_code == 302, answer.content.decode()
    terms = list(BillingTerm.objects.values_list("number", "starts_on", "months", "price"))
    assert terms == [
        (1, date(2026, 2, 1), 6, Decimal("99.90")),
        (2, None, 6, Decimal("120.00")),
    ]
    act = Act.objects.get()
    assert act.changes["Condições"][0] == "Nada configurado"
    assert "R$ 99,90" in act.changes["Condições"][1]
    shown = client.get(page).content.decode()
    # In a field of numbers, browsers show nothing of it.
    assert re.search(r'<input type="text" name="form-0-price" value="99,90"', shown)


def test_an_emptied_line_takes_its_term_away(activation: Activation, operator: User) -> None:
    client, page = Client(), f"/admin/connectors/activation/{activation.pk}/billing/"
    client.force_login(operator)
    set_billing(activation.pk, START, [(3, Decimal(10)), (6, Decimal(20))])
    shown = form(
        starts_on="31/01/2026",
        **{
            "form-INITIAL_FORMS": "2",
            "form-0-months": "3",
            "form-0-price": "10,00",
            "form-1-months": "",
            "form-1-price": "",
        },
    )

    assert client.post(page, shown).status_code == 302
    assert [term.months for term in BillingTerm.objects.all()] == [3]

    emptied = {"starts_on": "", "form-0-months": "", "form-0-price": ""}
    assert client.post(page, shown | emptied).status_code == 302
    assert not BillingTerm.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"form-0-price": "10"},
        {"form-0-months": "6", "form-0-price": "1", "starts_on": "01/02/0026"},
        {"form-0-months": "0", "form-0-price": "1"},
        {"form-0-months": "6"},
        {"form-0-months": "6", "form-0-price": "-1"},
        {"form-0-months": "6", "form-0-price": "1", "starts_on": ""},
    ],
)
def test_what_is_no_term_is_said_and_nothing_is_written(
    activation: Activation, operator: User, wrong: dict[str, str]
) -> None:
    client, page = Client(), f"/admin/connectors/activation/{activation.pk}/billing/"
    client.force_login(operator)

    answer = client.post(page, form(**{"starts_on": "01/02/2026", **wrong}))

    assert answer.status_code == 200
    assert not BillingTerm.objects.exists()
