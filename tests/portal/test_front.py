"""The admin's front page: what needs a person now, and where it is mended."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.asks import answer_ask, ask_for
from connectors.contract import StockSource
from connectors.errors import NotFound, Unauthorized
from connectors.models import (
    Activation,
    ActivationFlow,
    Alert,
    Ask,
    Brake,
    Comparison,
    Connector,
    Difference,
    Endpoint,
    Failure,
    Heartbeat,
    Run,
    Store,
)
from connectors.runs.holding import answer_brake
from connectors.runs.running import run_flow
from connectors.services import pause, revoke
from connectors.trouble.failures import record_failure
from orders.models import Order
from portal.hours import last_hours
from tests.conftest import flow_of, make_activation, make_managed, make_store
from tests.conftest import numbers as names

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_kept(db: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def needs(client: Client) -> dict[str, tuple[int, str, list[tuple[str, str]]]]:
    """By title: how many, the list of them, and the rows with their pages."""
    html = client.get("/admin/").content.decode()
    found = {}
    for part in html.split("data-need")[1:]:
        part = part[: part.index("</ul>")]
        links = [
            (unescape(text), unescape(url))
            for url, text in re.findall(r'href="([^"]*)">([^<]*)<', part)
        ]
        count = re.search(r">(\d+)</span>", part)
        assert count is not None
        found[links[0][0]] = (int(count[1]), links[0][1], links[1:])
    return found


def managed(store: Store) -> Activation:
    activation = make_managed(store, "rocky", "https://loja.example.com", {"token": "t"})
    ActivationFlow.objects.update(last_success_at=timezone.now(), last_change_at=timezone.now())
    return activation


def test_where_all_is_well_it_says_so(client: Client, store: Store) -> None:
    managed(store)

    html = client.get("/admin/").content.decode()

    assert "Nada: está tudo em dia." in html
    assert "Últimas 24 horas" in html


def test_every_kind_of_trouble_leads_to_the_page_that_mends_it(
    client: Client, store: Store
) -> None:
    refused, late, paused = managed(store), managed(store), managed(store)
    run_flow(flow_of(refused, StockSource), StockSource, _refuse)
    pause(paused.pk, "Pausada por operadora.")
    ActivationFlow.objects.filter(pk=flow_of(late, StockSource)).update(
        last_success_at=timezone.now() - DAY, watched_since=timezone.now() - DAY
    )
    run = Run.objects.latest("pk")
    record_failure(run, "A", NotFound("no", cause="unknown_sku"), {})
    brake = Brake.objects.create(
        activation=late, ability="StockSource", flow="stock", danger="zeroed",
        count=9, base=10, limit=30,
    )  # fmt: skip
    preview = Comparison.objects.create(activation=late, purpose="preview", holds=True)
    daily = Comparison.objects.create(activation=late, purpose="catalogue", ended_at=timezone.now())
    Difference.objects.create(comparison=daily, flow="stock", kind="update", record_id="A")
    late.credentials.update(ends_at=timezone.now() + DAY)
    late.subscriptions.create(
        hook="order_created", target_url="https://hooks.example.com/1",
        disabled_at=timezone.now(), disabled_reason="HTTP 410",
    )  # fmt: skip
    waiting = make_activation(store, "webstore")
    Endpoint.objects.update(disabled_at=timezone.now(), disabled_reason="HTTP 500")
    Alert.objects.create(channel="email", message_id="m", subject="…", body="…", attempts=2)
    merchant = User.objects.create_user("lojista")
    for slug in ("pluga", "olist"):
        ask_for(store, Connector.objects.get(slug=slug), "", merchant)
    answer_ask(Ask.objects.earliest("pk").pk)

    found = needs(client)

    page = "/admin/connectors/activation/{}/change/".format
    assert found == {
        "Credencial recusada: integração parada": (
            1,
            "/admin/connectors/incident/?situation=open&kind__exact=refused",
            [(str(refused), page(refused.pk))],
        ),
        "Fluxos: parado": (
            1,
            "/admin/connectors/activationflow/?freshness=stopped",
            [(f"Estoque · {late}", page(late.pk))],
        ),
        "Registros que falharam": (
            1,
            "/admin/connectors/failure/?situation=open",
            [
                (
                    "1 × SKU sem produto nem De/Para",
                    "/admin/connectors/failure/?situation=open&cause=unknown_sku",
                )
            ],
        ),
        "Sincronizações que pararam e perguntam": (
            1,
            "/admin/connectors/brake/?situation=open",
            [(str(brake), f"/admin/connectors/brake/{brake.pk}/change/")],
        ),
        "Prévias que esperam aprovação": (
            1,
            "/admin/connectors/comparison/?situation=holding",
            [(str(late), f"/admin/connectors/comparison/{preview.pk}/change/")],
        ),
        "Credenciais que vencem em breve": (
            1,
            "/admin/connectors/credential/?situation=ending",
            [(str(late), page(late.pk))],
        ),
        "Conciliações com diferenças": (
            1,
            "/admin/connectors/comparison/?situation=differing",
            [(str(late), f"/admin/connectors/comparison/{daily.pk}/change/")],
        ),
        "Assinaturas de eventos desligadas": (
            1,
            "/admin/connectors/subscription/?disabled_at__isempty=0&ended_at__isempty=1",
            [],
        ),
        "Integrações pausadas": (
            1,
            "/admin/connectors/activation/?state__exact=paused",
            [(str(paused), page(paused.pk))],
        ),
        "Integrações que ainda não foram chamadas": (
            1,
            "/admin/connectors/activation/?state__exact=waiting",
            [(str(waiting), page(waiting.pk))],
        ),
        "Endereços de parceiros que desistimos de avisar": (
            1,
            "/admin/connectors/activation/"
            "?endpoint__disabled_at__isempty=0&state__in=draft%2Cwaiting%2Cactive%2Cpaused",
            [],
        ),
        "Pedidos de lojistas que esperam resposta": (
            1,
            "/admin/connectors/ask/?answered_at__isempty=1",
            [],
        ),
        "Alertas que não saem": (1, "/admin/connectors/alert/?sent_at__isempty=1", []),
    }


def test_what_a_revoked_integration_asked_waits_for_nobody(
    client: Client, store: Store, operator: User
) -> None:
    over = managed(store)
    brake = Brake.objects.create(
        activation=over, ability="StockSource", flow="stock", danger="zeroed",
        count=9, base=10, limit=30,
    )  # fmt: skip
    now = timezone.now()
    Comparison.objects.create(activation=over, purpose="preview", holds=True, ended_at=now)
    revoke(over.pk, operator)

    found = needs(client)
    lists = [
        client.get(f"/admin/connectors/{address}") for address in
        ("brake/?situation=open", "comparison/?situation=holding", "brake/?situation=all")
    ]  # fmt: skip

    assert found == {}
    assert [each.context["cl"].result_count for each in lists] == [0, 0, 1]
    for page in (lists[2], client.get(f"/admin/connectors/brake/{brake.pk}/change/")):
        assert "Integração encerrada" in page.content.decode()
        assert "Aguarda resposta<" not in page.content.decode()
    assert not answer_brake(brake.pk, Brake.Answer.APPLY, operator)


def test_no_message_nor_difference_of_a_revoked_integration_waits_for_somebody(
    client: Client, store: Store, operator: User
) -> None:
    over, at_work = make_activation(store, "pluga"), make_activation(store, "rocky")
    now = timezone.now()
    subscription = over.subscriptions.create(
        hook="order_created", target_url="https://hooks.example.com/1",
        disabled_at=now, disabled_reason="HTTP 410",
    )  # fmt: skip
    Endpoint.objects.update(disabled_at=now, disabled_reason="HTTP 500")
    daily = Comparison.objects.create(activation=over, purpose="catalogue", ended_at=now)
    Difference.objects.create(comparison=daily, flow="stock", kind="update", record_id="A")

    revoke(over.pk, operator)

    found = needs(client)
    assert set(found) == {
        "Integrações que ainda não foram chamadas",
        "Endereços de parceiros que desistimos de avisar",
    }
    for count, url, _rows in found.values():
        shown = client.get(url).context["cl"].result_list
        assert (count, list(shown)) == (1, [at_work])
    subscription.refresh_from_db()
    assert subscription.ended_reason == "A integração está revogada."


def _refuse(attempt: object, client: object) -> None:
    raise Unauthorized("GET stock: HTTP 401")


def test_every_list_behind_a_number_shows_as_many(client: Client, store: Store) -> None:
    test_every_kind_of_trouble_leads_to_the_page_that_mends_it(client, store)

    for title, (count, url, _rows) in needs(client).items():
        response = client.get(url)
        # A refused integration is paused as well, and shown above the others.
        more = 1 if title == "Integrações pausadas" else 0
        assert response.context["cl"].result_count == count + more, title


def test_a_queue_that_stands_still_is_the_first_thing_to_see(client: Client, store: Store) -> None:
    Heartbeat.objects.create(beat_at=timezone.now() - timedelta(minutes=20))

    assert "A fila está parada desde" in client.get("/admin/").content.decode()
    Heartbeat.objects.update(beat_at=timezone.now())
    assert "A fila está parada desde" not in client.get("/admin/").content.decode()


def test_a_queue_that_never_ran_is_seen_as_soon_as_there_is_something_to_do(
    client: Client, store: Store
) -> None:
    words = "A fila está parada desde"
    assert words not in client.get("/admin/").content.decode()
    activation = managed(store)

    at_once = client.get("/admin/").content.decode()
    Activation.objects.filter(pk=activation.pk).update(
        created_at=timezone.now() - timedelta(minutes=20)
    )

    assert words not in at_once
    assert words in client.get("/admin/").content.decode()


def test_the_page_takes_the_same_queries_for_one_and_for_many(client: Client, store: Store) -> None:
    costs = []
    for count in (1, 15):
        for _number in range(count):
            trouble = managed(make_store(name=f"Outra {next(names)}"))
            make_activation(trouble.store, "webstore")
            run_flow(flow_of(trouble, StockSource), StockSource, _refuse)
            run = Run.objects.latest("pk")
            record_failure(run, "A", NotFound("no", cause="unknown_sku"), {})
            still = managed(trouble.store)
            still.flows.update(last_success_at=None, watched_since=timezone.now() - DAY)
        with CaptureQueriesContext(connection) as queries:
            client.get("/admin/")
        costs.append(len(queries))

    assert costs[0] == costs[1]
    assert costs[0] <= 20
    assert Failure.objects.count() == 16


def test_who_may_not_see_it_does_not(store: Store) -> None:
    user = User.objects.create_user("estagiaria", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_store"))
    client = Client()
    client.force_login(user)
    run_flow(flow_of(managed(store), StockSource), StockSource, _refuse)

    html = client.get("/admin/").content.decode()

    assert "Precisa de alguém agora" not in html


def test_orders_and_synchronisations_are_counted_by_hour(client: Client, store: Store) -> None:
    activation = managed(store)
    now = timezone.now()
    hour = timedelta(hours=1)
    for number, ago in enumerate((0, 1, 1, 30)):
        Order.objects.create(
            store=store, source=activation, original_id=str(number), status="approved",
            created_at=now - ago * hour,
        )  # fmt: skip
    for outcome, ago in (("done", 0), ("failed", 3), ("done", 3), ("done", 26)):
        Run.objects.create(
            activation=activation, ability="StockSource", flow="stock", outcome=outcome,
            started_at=now - ago * hour, ended_at=now, expires_at=now,
        )  # fmt: skip

    hours = last_hours(now)

    assert [hours[-n].orders for n in (1, 2, 3)] == [1, 2, 0]
    assert [(hours[-n].runs, hours[-n].failed) for n in (1, 2, 4)] == [(1, 0), (0, 0), (2, 1)]
    assert sum(each.runs for each in hours) == 3
    html = client.get("/admin/").content.decode()
    assert html.count("data-chart") == 2
    assert html.count('<th class="text-left font-normal" scope="row">') == 2 * 24


def test_every_figure_of_the_last_day_leads_to_the_rows_that_it_counts(
    client: Client, store: Store
) -> None:
    test_orders_and_synchronisations_are_counted_by_hour(client, store)
    run, now = Run.objects.latest("pk"), timezone.now()
    Run.objects.filter(outcome="failed").update(outcome="abandoned")
    for number in range(4):
        record_failure(run, str(number), NotFound("no", cause="unknown_sku"), {})
    Failure.objects.filter(record_id="0").update(first_at=now - 2 * DAY)
    Failure.objects.filter(record_id="1").update(resolved_at=now)
    old = {"first_at": now - 3 * DAY, "resolved_at": now - 2 * DAY}
    Failure.objects.filter(record_id="2").update(**old)
    ActivationFlow.objects.filter(ability="StockSource").update(last_run_at=now)

    html = client.get("/admin/").content.decode()

    figures = re.findall(r'flex-col-reverse" href="([^"]+)">.*?(\d+)<', html, re.S)
    assert [int(number) for _url, number in figures][:5] == [3, 1, 2, 1, 1]
    for url, number in figures:
        assert client.get(unescape(url)).context["cl"].result_count == int(number), url


def test_what_passes_by_itself_is_neither_counted_nor_listed(client: Client, store: Store) -> None:
    run_flow(flow_of(managed(store), StockSource), StockSource, lambda attempt, client: None)
    run = Run.objects.latest("pk")
    for record, cause in (("A", "unknown_sku"), ("B", "unavailable")):
        record_failure(run, record, NotFound("no", cause=cause), {})

    count, url, _rows = needs(client)["Registros que falharam"]

    assert count == client.get(url).context["cl"].result_count == 1


def test_an_hour_that_is_over_is_counted_once(client: Client, store: Store) -> None:
    activation, now = managed(store), timezone.now()
    first = last_hours(now)
    for ago in (0, 5):
        moment = now - timedelta(hours=ago)
        Order.objects.create(store=store, source=activation, status="approved", created_at=moment)

    again = last_hours(now)

    assert (first[-6], again[-6]) == (again[-6], first[-6])
    assert again[-1].orders == 1


def test_a_portal_with_nothing_in_it_says_what_to_do_first(client: Client) -> None:
    empty = client.get("/admin/").content.decode()
    make_store()
    with_a_store = client.get("/admin/").content.decode()

    assert "Cadastre a primeira loja" in empty
    assert 'href="/admin/connectors/store/add/"' in empty
    assert "Ative o primeiro conector" in with_a_store
    assert "está tudo em dia" not in with_a_store
