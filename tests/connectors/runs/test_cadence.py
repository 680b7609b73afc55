import pytest

from connectors.errors import NotAllowed, Refused
from connectors.models import ActivationFlow
from connectors.runs.cadence import minutes_of, set_intervals, settable_flows
from tests.conftest import make_managed, make_partner
from tests.connectors.admin.conftest import form_on, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def rocky(store):
    return make_managed(store, "rocky", "https://loja.example.com", {"token": "t"})


def interval(activation, ability):
    flow = ActivationFlow.objects.get(activation=activation, ability=ability)
    return flow.every, flow.grace


def test_how_late_is_late_follows_from_the_interval(rocky):
    set_intervals(rocky.pk, {"StockSource": 60})

    assert interval(rocky, "StockSource") == (3600, 7200)
    assert interval(rocky, "ProductSource") == (600, 1200)


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_what_is_no_interval_is_refused(rocky, minutes):
    with pytest.raises(Refused, match="de 1 minuto a um dia"):
        set_intervals(rocky.pk, {"StockSource": minutes})

    assert interval(rocky, "StockSource")[0] == 300


@pytest.mark.parametrize(("slug", "ability"), [("webstore", "StockSource"), ("rocky", "OrderSink")])
def test_what_is_not_the_clients_to_set_stays(store, slug, ability):
    activation = make_partner(store, slug).activation
    before = interval(activation, ability)

    with pytest.raises(NotAllowed, match="não é definida pelo cliente"):
        set_intervals(activation.pk, {ability: 1})

    assert interval(activation, ability) == before


def test_the_same_interval_does_not_disturb_the_plan(rocky):
    flow = settable_flows(rocky)["StockSource"]

    set_intervals(rocky.pk, {"StockSource": minutes_of(flow)})

    assert settable_flows(rocky)["StockSource"].due_at == flow.due_at


def test_the_page_shows_the_intervals_and_asks_again_for_what_is_none(rocky, client, operator):
    client.force_login(operator)
    form = form_on(client.get(page_of(rocky)).content.decode())

    answer = client.post(page_of(rocky), form | {"interval_StockSource": "0"})

    assert (form["interval_ProductSource"], form["interval_StockSource"]) == ("10", "5")
    assert answer.status_code == 200
    assert interval(rocky, "StockSource")[0] == 300
