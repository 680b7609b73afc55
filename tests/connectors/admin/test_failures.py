"""What failed, and the operator's way to the end of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import SkuMapping
from connectors.errors import NotFound, Rejected, Unauthorized, Unreadable
from connectors.models import Act, Activation, ActivationFlow, Failure, Run, Store
from connectors.trouble import causes
from connectors.trouble.failures import record_failure
from tests.conftest import make_managed, make_store
from tests.connectors.admin.conftest import URL, form_on, page_of, somebody_who_may
from tests.connectors.admin.test_flows import act

LIST = "/admin/connectors/failure/"


@pytest.fixture
def activation(store: Store) -> Activation:
    return make_managed(store, "rocky", URL, {"token": "t"})


Fail = Callable[..., Failure]


@pytest.fixture
def fail(activation: Activation) -> Fail:
    def fail(error: Exception, record_id: str = "A 1", by: Activation = activation) -> Failure:
        run = Run.objects.create(
            activation=by,
            ability="StockSource",
            flow="stock",
            expires_at=timezone.now(),
            ended_at=timezone.now(),
            outcome="partial",
        )
        record_failure(run, record_id, error, {"sku": record_id})
        later = timezone.now() + timedelta(hours=1)
        Failure.objects.update(retry_at=later)
        ActivationFlow.objects.update(due_at=later)
        return Failure.objects.get(activation=by, record_id=record_id, resolved_at=None)

    return fail


def found(client: Client, **query: str) -> list[str]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.record_id for row in answer.context["cl"].result_list]


def fix_on(client: Client) -> str:
    """Where the list's first link to a mending page leads."""
    html = client.get(LIST).content.decode()
    match = re.search(r'href="([^"]*)">Resolver<', html)
    return unescape(match[1]) if match else ""


def test_failures_are_found_by_what_they_are(
    activation: Activation, fail: Fail, admin_client: Client
) -> None:
    other = make_managed(make_store(), "webstore", URL, {"token": "t"})
    fail(NotFound("no", cause=causes.UNKNOWN_SKU), "sku")
    fail(Unreadable("no"), "format")
    fail(Rejected("no"), "other's", other)
    Failure.objects.filter(record_id="format").update(resolved_at=timezone.now())

    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({"situation": "open"}, ["other's", "sku"]),
        ({"situation": "resolved"}, ["format"]),
        ({}, ["other's", "sku"]),
        ({"actor": "us"}, ["format"]),
        ({"actor": "hub"}, ["other's", "sku"]),
        ({"cause": "unknown_sku"}, ["sku"]),
        ({"kind__exact": "unreadable"}, ["format"]),
        ({"flow__exact": "prices"}, []),
        ({"activation__connector__id__exact": other.connector_id}, ["other's"]),
        ({"activation__store__id__exact": other.store_id}, ["other's"]),
        ({"activation__id__exact": activation.pk}, ["format", "sku"]),
    ]
    for query, expected in asked:
        if query and "situation" not in query:
            query = query | {"situation": "all"}
        assert sorted(found(admin_client, **query)) == expected, query


def test_an_unknown_sku_leads_to_its_mapping_already_filled_in(
    activation: Activation, fail: Fail, admin_client: Client
) -> None:
    fail(NotFound("no", cause=causes.UNKNOWN_SKU), "A 1/é")

    page = fix_on(admin_client)

    form = form_on(admin_client.get(page).content.decode())
    assert page.startswith("/admin/catalog/skumapping/add/?")
    assert (form["activation"], form["code"]) == (str(activation.pk), "A 1/é")


def test_saving_the_mapping_tries_again_what_waited_for_it(
    activation: Activation, fail: Fail, admin_client: Client
) -> None:
    fail(NotFound("no", cause=causes.UNKNOWN_SKU), "9001")
    fail(Unreadable("no"), "other")
    product = activation.store.products.create(sku="CANECA")
    page = fix_on(admin_client)
    form = form_on(admin_client.get(page).content.decode())

    admin_client.post(page, {**form, "product": product.pk})

    assert SkuMapping.objects.get().code == "9001"
    assert [f.record_id for f in Failure.objects.due(timezone.now())] == ["9001"]
    assert [f.flow for f in ActivationFlow.objects.due(timezone.now())] == ["stock"]


@pytest.mark.parametrize("error", [Unauthorized("no"), Rejected("no", cause=causes.SETTING)])
def test_a_credential_or_a_setting_is_mended_on_the_integrations_page(
    activation: Activation, fail: Fail, admin_client: Client, error: Exception
) -> None:
    fail(error)

    assert fix_on(admin_client) == page_of(activation)


def test_what_has_no_page_to_be_mended_on_says_what_to_do(fail: Fail, admin_client: Client) -> None:
    failure = fail(Unreadable("no"))

    html = admin_client.get(f"{LIST}{failure.pk}/change/").content.decode()

    assert fix_on(admin_client) == ""
    assert "Mandar o conteúdo desta falha a quem mantém o portal." in html
    assert "quem mantém o portal" in html


def test_a_failure_is_tried_again(fail: Fail, admin_client: Client) -> None:
    failure = fail(Rejected("no"))

    html = act(admin_client, LIST, "retry_selected", failure.pk)

    assert "Falhas que serão tentadas na próxima execução: 1." in html
    assert Failure.objects.due(timezone.now()).get() == failure


def test_what_only_the_other_side_can_send_again_is_said_to_be_so(
    fail: Fail, admin_client: Client
) -> None:
    failure = fail(Rejected("no"))
    Failure.objects.update(retry_at=None)

    html = act(admin_client, LIST, "retry_selected", failure.pk)

    assert "só o outro sistema pode reenviar" in html


def test_a_failure_that_somebody_else_resolved_is_not_tried_again_on_record(
    fail: Fail, admin_client: Client
) -> None:
    failure = fail(Rejected("no"))
    Failure.objects.update(resolved_at=timezone.now())

    page = admin_client.post(f"{LIST}{failure.pk}/retry/", follow=True).content.decode()

    assert "Nada a tentar" in page
    assert not Act.objects.exists()


def test_a_failure_is_dismissed_with_a_reason(fail: Fail, admin_client: Client) -> None:
    failure, other = fail(Rejected("no")), fail(Rejected("no"), "B")
    asked = act(admin_client, LIST, "dismiss_selected", failure.pk)
    form = form_on(asked)

    html = act(admin_client, LIST, "dismiss_selected", failure.pk, reason="produto descontinuado")

    assert "Falhas abertas entre as escolhidas: 1." in unescape(asked)
    assert (form["_selected_action"], form["action"]) == (str(failure.pk), "dismiss_selected")
    assert "Falhas dispensadas: 1." in html
    failure.refresh_from_db()
    assert failure.resolution == "Dispensada por operadora: produto descontinuado"
    assert Failure.objects.open().get() == other


def test_a_dismissal_without_a_reason_is_asked_for_one(fail: Fail, admin_client: Client) -> None:
    failure = fail(Rejected("no"))

    html = act(admin_client, LIST, "dismiss_selected", failure.pk, reason=" ")

    assert "Este campo é obrigatório." in html
    assert Failure.objects.open().exists()


def test_all_that_a_filter_shows_may_be_dismissed_at_once(fail: Fail, admin_client: Client) -> None:
    for number in range(120):
        fail(Rejected("no"), str(number))
    fail(Unreadable("no"), "other")
    some = Failure.objects.filter(cause="rejected").first()
    assert some is not None

    act(
        admin_client,
        f"{LIST}?cause=rejected",
        "dismiss_selected",
        some.pk,
        select_across="1",
        reason="carga antiga",
    )

    assert Failure.objects.open().get().record_id == "other"


def test_who_may_only_look_retries_and_dismisses_nothing(fail: Fail) -> None:
    failure = fail(Rejected("no"))
    client = somebody_who_may("view_failure")

    act(client, LIST, "retry_selected", failure.pk)
    act(client, LIST, "dismiss_selected", failure.pk, reason="…")

    assert Failure.objects.open().get().retry_at == failure.retry_at
