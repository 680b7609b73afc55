"""Every page of the admin opens, and a longer list costs no more queries than a short one."""

import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import strip_tags

from catalog.models import Product, Sent, SkuMapping, Stock
from connectors.models import (
    Activation,
    ActivationFlow,
    Alert,
    Brake,
    Comparison,
    Difference,
    Failure,
    Incident,
    Notice,
    Run,
    Store,
)
from orders.models import Line, Order, OrderLink, Payment, Shipment, StatusChange
from tests.conftest import make_managed, make_partner, make_store
from tests.connectors.admin.conftest import URL
from tests.everything import store_with_everything
from tests.products import make_product

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
every_model = pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)


def name_of(model: type[models.Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def make_activation(number: int) -> Activation:
    return make_partner(make_store(), "pluga").activation


def make_a_product(number: int) -> Product:
    price = Decimal("10.90")
    return make_product(make_store(), f"SKU-{number}", name="Caneca", price=price, on_hand=3)


def make_mapping(number: int) -> SkuMapping:
    return SkuMapping.objects.create(
        activation=make_activation(number), code=f"C{number}", product=make_a_product(number)
    )


def make_order(number: int) -> Order:
    activation = make_activation(number)
    order = Order.objects.create(
        store=activation.store, source=activation, original_id=f"N{number}", status="approved"
    )
    Line.objects.create(order=order, sku="A", quantity=1, price=10, product=make_a_product(number))
    Payment.objects.create(order=order, payment_type="pix")
    Shipment.objects.create(order=order, nfe_number="1")
    StatusChange.objects.create(order=order, status="approved", author="Ana")
    OrderLink.objects.create(order=order, activation=activation)
    return order


def make_run(number: int) -> Run:
    activation = make_managed(make_store(), "rocky", URL, {"token": "t"})
    return Run.objects.create(
        activation=activation, ability="StockSource", flow="stock", expires_at=timezone.now()
    )


def make_failure(number: int) -> Failure:
    return Failure.objects.create(
        activation=make_activation(number), flow="stock", record_id="A", kind="refused",
        reason="Não há tal SKU.", payload={"sku": "A"},
    )  # fmt: skip


def make_notice(number: int) -> Notice:
    return Notice.objects.create(
        activation=make_activation(number), topic="orders", action="updated", object_id="1"
    )


def make_flow(number: int) -> ActivationFlow:
    activation = make_managed(make_store(), "rocky", URL, {"token": "t"})
    return ActivationFlow.objects.get(activation=activation, ability="StockSource")


def make_incident(number: int) -> Incident:
    flow = make_flow(number)
    return Incident.objects.create(activation=flow.activation, flow=flow, kind="silent")


def make_alert(number: int) -> Alert:
    return Alert.objects.create(
        channel="email", message_id=f"msg_{number}", subject="1 incidente novo", body="…"
    )


def make_brake(number: int) -> Brake:
    flow = make_flow(number)
    return Brake.objects.create(
        activation=flow.activation, ability=flow.ability, flow=flow.flow, danger="zeroed",
        count=4, base=9, limit=30,
    )  # fmt: skip


def make_comparison(number: int) -> Comparison:
    return Comparison.objects.create(activation=make_activation(number), purpose="catalogue")


MAKERS: dict[type[models.Model], Callable[[int], models.Model]] = {
    Store: lambda number: make_store(),
    Activation: make_activation,
    Product: make_a_product,
    SkuMapping: make_mapping,
    Stock: lambda number: make_a_product(number).stock_row,
    Order: make_order,
    Run: make_run,
    Failure: make_failure,
    Notice: make_notice,
    ActivationFlow: make_flow,
    Incident: make_incident,
    Alert: make_alert,
    Brake: make_brake,
    Comparison: make_comparison,
    Difference: lambda number: make_comparison(number).differences.create(
        flow="stock", kind="update", record_id=f"A{number}"
    ),
    Sent: lambda number: Sent.objects.create(
        activation=make_activation(number), flow="stock", product=make_a_product(number), code="A"
    ),
}


@every_model
def test_every_list_opens_and_can_be_searched(model: Any, admin_client: Client) -> None:
    for number in range(2):
        if model in MAKERS:
            MAKERS[model](number)

    assert admin_client.get(reverse(name_of(model, "changelist"))).status_code == 200
    assert admin_client.get(reverse(name_of(model, "changelist")), {"q": "a"}).status_code == 200


@every_model
def test_a_chosen_row_that_cannot_be_is_not_there(model: Any, admin_client: Client) -> None:
    chosen = {"action": "delete_selected", "_selected_action": "abc", "index": "0"}

    assert admin_client.post(reverse(name_of(model, "changelist")), chosen).status_code == 404


@every_model
def test_a_filter_by_what_is_no_row_is_no_fault(model: Any, admin_client: Client) -> None:
    for name in ("store", "activation", "activation__store"):
        for said in ("²", "9" * 20):
            asked = {f"{name}__id__exact": said}

            answer = admin_client.get(reverse(name_of(model, "changelist")), asked)

            assert answer.status_code in (200, 302, 400)  # not every list is filtered by each


@pytest.mark.parametrize("asked", ["activationflow/?every__in=" + "9" * 30, "act/?address=x"])
def test_a_filter_that_no_database_understands_shows_the_list_without_it(
    asked: str, admin_client: Client
) -> None:
    answer = admin_client.get(f"/admin/connectors/{asked}", follow=True)

    assert answer.status_code == 200


@every_model
def test_every_row_opens(model: Any, admin_client: Client) -> None:
    if model in MAKERS:
        MAKERS[model](1)
    else:
        store_with_everything("Palavra")

    assert model._base_manager.exists()
    for row in model._base_manager.all():
        answer = admin_client.get(reverse(name_of(model, "change"), args=[row.pk]))
        assert answer.status_code == 200


@every_model
def test_every_form_for_something_new_opens_or_is_refused(model: Any, admin_client: Client) -> None:
    answer = admin_client.get(reverse(name_of(model, "add")))

    allowed = admin.site._registry[model].has_add_permission(answer.wsgi_request)
    assert answer.status_code == (302 if model is Activation else 200 if allowed else 403)


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model._meta.label)
def test_a_longer_list_costs_no_more_queries(model: Any, admin_client: Client) -> None:
    def queries_with(count: int) -> int:
        for number in range(model._base_manager.count(), count):
            MAKERS[model](number)
        with CaptureQueriesContext(connection) as queries:
            page = admin_client.get(reverse(name_of(model, "changelist"))).content.decode()
        assert len(re.findall(r"<tr\b", page)) >= count
        return len(queries)

    admin_client.get(reverse(name_of(model, "changelist")))  # content types are read once

    assert queries_with(3) == queries_with(30)


@pytest.mark.parametrize("model", [Run, Failure, Notice, Product, Order])
def test_what_the_portal_writes_people_only_read(model: Any, admin_client: Client) -> None:
    row = MAKERS[model](1)
    change = reverse(name_of(model, "change"), args=[row.pk])

    assert admin_client.post(change, {}).status_code == 403
    assert admin_client.post(reverse(name_of(model, "delete"), args=[row.pk])).status_code == 403
    assert admin_client.get(reverse(name_of(model, "add"))).status_code == 403


def test_a_failure_shows_its_reason_and_its_payload(admin_client: Client) -> None:
    failure = make_failure(1)

    page = admin_client.get(reverse("admin:connectors_failure_change", args=[failure.pk]))

    text = unescape(strip_tags(page.content.decode()))
    assert "Não há tal SKU." in text
    assert '"sku": "A"' in text


def test_the_front_page_leads_to_everything(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()

    for model in REGISTERED:
        assert reverse(name_of(model, "changelist")) in page


def test_the_queues_own_tables_are_out_of_reach(admin_client: Client) -> None:
    assert {model._meta.app_label for model in REGISTERED} == {
        "auth", "catalog", "connectors", "orders",
    }  # fmt: skip
    assert admin_client.get("/admin/django_q/schedule/").status_code == 404


OURS = [model for model in REGISTERED if model._meta.app_label != "auth"]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_field_that_the_admin_shows_has_a_portuguese_name(
    model: Any, admin_client: Client
) -> None:
    row = MAKERS[model](1) if model in MAKERS else model._base_manager.first()
    request = admin_client.get("/admin/").wsgi_request
    model_admin = admin.site._registry[model]
    shown = [(model, name) for name in model_admin.get_list_display(request)]
    shown += [(model, name) for name in model_admin.get_fields(request, row)]
    for inline in model_admin.get_inline_instances(request, row):
        shown += [(inline.model, name) for name in inline.get_fields(request, row)]

    columns = [
        field
        for owner, name in shown
        for field in owner._meta.get_fields()
        if isinstance(field, models.Field) and field.name == name
    ]

    assert [str(f) for f in columns if not isinstance(f.verbose_name, Promise)] == []
