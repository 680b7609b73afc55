"""What must always be true, tried against the database itself: one bad row per constraint."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from catalog.models import (
    Price,
    Reservation,
    Sent,
    SkuMapping,
    Spreadsheet,
    SpreadsheetRow,
    Stock,
    Taken,
    TakenPage,
)
from connectors.models import (
    AccessToken,
    ActivationFlow,
    ActivationStep,
    Alert,
    Ask,
    AuthorizationCode,
    BillingTerm,
    Brake,
    CallBudget,
    Comparison,
    Connector,
    Delivery,
    Difference,
    Doorbell,
    Event,
    Failure,
    Handover,
    Incident,
    Listed,
    Notice,
    Repair,
    Ring,
    Run,
    Store,
    Subscription,
    Trial,
)
from orders.models import BuyerMail, Line, Order, OrderLink, OrderWord, Payment, Shipment, Tally
from tests.conftest import make_operator, make_partner, make_store

pytestmark = pytest.mark.django_db
OURS = ("connectors", "catalog", "orders")


@dataclass
class World:
    """One good row of each kind; `copy` makes another that differs only as said."""

    store: Store = field(default_factory=make_store)

    def __post_init__(self) -> None:
        self.activation = make_partner(self.store, "pluga").activation
        self.credential = self.activation.credentials.get()
        self.product = self.store.products.create(sku="A")
        self.other_product = self.store.products.create(sku="B")
        self.price = Price.objects.create(product=self.product)
        self.stock = Stock.objects.create(product=self.product, on_hand=1)
        self.reservation = Reservation.objects.create(
            product=self.product, sale="1", quantity=1, held=1
        )
        self.mapping = SkuMapping.objects.create(
            activation=self.activation, code="1", product=self.product
        )
        self.sent = Sent.objects.create(
            activation=self.activation, flow="stock", product=self.product
        )
        self.order = Order.objects.create(
            store=self.store,
            source=self.activation,
            channel="Loja",
            channel_account="conta",
            original_id="1",
            status="approved",
        )
        self.line = Line.objects.create(order=self.order, quantity=1)
        self.tally = Tally.objects.create(
            store=self.store, day="2026-11-22", status="paid", orders=1, amount=1, folded=True
        )
        self.word = OrderWord.objects.create(order=self.order, store=self.store, word="ANA")
        self.mail = BuyerMail.objects.create(order=self.order, kind="shipped", subject="s")
        self.link = OrderLink.objects.create(order=self.order, activation=self.activation)
        self.flow = ActivationFlow.objects.create(
            activation=self.activation, ability="StockSource", flow="stock", every=60
        )
        self.incident = Incident.objects.create(
            activation=self.activation, flow=self.flow, kind="silent"
        )
        self.refusal = Incident.objects.create(activation=self.activation, kind="refused")
        self.alert = Alert.objects.create(channel="email", message_id="m", subject="…", body="…")
        self.budget = CallBudget.objects.create(account="a", kind="calls")
        self.run = Run.objects.create(
            activation=self.activation,
            ability="StockSource",
            flow="stock",
            expires_at=timezone.now(),
        )
        self.failure = Failure.objects.create(
            activation=self.activation, flow="stock", record_id="A", kind="refused", reason="…"
        )
        self.notice = Notice.objects.create(
            activation=self.activation, topic="orders", action="updated", object_id="1"
        )
        self.subscription = Subscription.objects.create(
            activation=self.activation, hook="order.created", target_url="https://a.example/x"
        )
        self.event = Event.objects.create(store=self.store, hook="order.created", data={})
        self.delivery = Delivery.objects.create(subscription=self.subscription, event=self.event)
        self.doorbell = Doorbell.objects.create(activation=self.activation, secret_hash="d")
        self.ring = Ring.objects.create(
            activation=self.activation, ability="StockSource", record_id="1"
        )
        self.brake = Brake.objects.create(
            activation=self.activation,
            ability="StockSource",
            flow="stock",
            danger="zeroed",
            count=1,
            base=1,
            limit=30,
        )
        self.comparison = Comparison.objects.create(activation=self.activation, purpose="preview")
        self.difference = Difference.objects.create(
            comparison=self.comparison, flow="stock", kind="create", record_id="A"
        )
        self.listed = Listed.objects.create(
            comparison=self.comparison, flow="stock", record_id="A", digest=1
        )
        self.ask = Ask.objects.create(
            store=self.store, connector=self.activation.connector, asked_by=make_operator()
        )
        self.spreadsheet = Spreadsheet.objects.create(
            store=self.store, kind="products", file_name="a.csv", created_by=make_operator()
        )
        self.row = SpreadsheetRow.objects.create(
            spreadsheet=self.spreadsheet, number=2, cells=[], outcome="same"
        )
        self.step = ActivationStep.objects.create(
            activation=self.activation, key="plugin", done_by=make_operator()
        )
        self.trial = Trial.objects.create(activation=self.activation, asked_by=make_operator())
        self.page = TakenPage.objects.create(activation=self.activation, flow="stock", digest=1)
        self.taken = Taken.objects.create(
            activation=self.activation, flow="stock", record_id="A", product=self.product
        )
        self.token = AccessToken.objects.create(
            credential=self.credential,
            access_hash="a",
            access_expires_at=timezone.now(),
            refresh_hash="r",
            refresh_expires_at=timezone.now(),
        )
        self.handover = Handover.objects.create(
            activation=self.activation,
            token_hash="h",
            created_by=make_operator(),
            expires_at=timezone.now(),
        )
        self.term = BillingTerm.objects.create(
            activation=self.activation, number=1, starts_on="2026-01-01", months=1, price=1
        )
        self.code = AuthorizationCode.objects.create(
            activation=self.activation,
            code_hash="c",
            issued_by=make_operator(),
            expires_at=timezone.now(),
        )


def change(row: models.Model, **values: Any) -> None:
    """Past every form and service."""
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def copy(row: models.Model, **values: Any) -> None:
    """The same row once more, with what must be its own made its own."""
    again = type(row)._base_manager.get(pk=row.pk)
    again.pk = None
    again._state.adding = True
    if hasattr(again, "public_id"):
        again.public_id = uuid.uuid4().hex[:24]
    for name, value in values.items():
        setattr(again, name, value)
    again.save()


def copy_activation(world: World, **values: Any) -> None:
    own = {"name": "other", "submission": uuid.uuid4(), "client_id": "c" * 32, "api_user": "1"}
    copy(world.activation, **{**own, **values})


# By the constraint's name: what it must refuse, and beside it the nearest thing that is right.
CASES: dict[str, tuple[Callable[[World], None], Callable[[World], None]]] = {
    "store_cnpj_shape": (
        lambda w: change(w.store, cnpj="12abc34501de35"),
        lambda w: change(w.store, cnpj="33000167000101"),
    ),
    "store_has_domain": (
        lambda w: change(w.store, domain=""),
        lambda w: change(w.store, domain="x"),
    ),
    "activation_state_known": (
        lambda w: change(w.activation, state="on"),
        lambda w: change(w.activation, state="paused"),
    ),
    "activation_identity_follows_mode": (
        lambda w: change(w.activation, mode="managed"),
        lambda w: change(w.activation, mode="managed", client_id=None, api_user=None),
    ),
    "activation_moved_leads_to_another": (
        lambda w: change(w.activation, state="moved"),
        lambda w: copy_activation(w, state="moved", moved_to=w.activation),
    ),
    "activation_name_once_per_store": (
        lambda w: copy_activation(w, name=w.activation.name),
        lambda w: copy_activation(w, connector=Connector.objects.get(slug="rocky")),
    ),
    "credential_holds_what_its_kind_needs": (
        lambda w: change(w.credential, kind="received"),
        lambda w: change(
            w.credential, kind="received", client_secret_hash="", api_secret_hash="", sealed="s"
        ),
    ),
    "handover_issues_when_opened": (
        lambda w: change(w.handover, opened_at=timezone.now()),
        lambda w: change(w.handover, opened_at=timezone.now(), credential=w.credential),
    ),
    "billing_terms_one_after_the_other": (
        lambda w: copy(w.term),
        lambda w: copy(w.term, number=2, starts_on=None),
    ),
    "billing_only_the_first_term_has_a_date": (
        lambda w: change(w.term, starts_on=None),
        lambda w: change(w.term, number=2, starts_on=None),
    ),
    "billing_term_months_and_price": (
        lambda w: change(w.term, months=0),
        lambda w: change(w.term, months=1, price=0),
    ),
    "endpoint_fails_since_a_moment": (
        lambda w: change(w.activation.endpoint, failures_in_a_row=1),
        lambda w: change(w.activation.endpoint, failures_in_a_row=1, failing_since=timezone.now()),
    ),
    "endpoint_disabled_for_a_reason": (
        lambda w: change(w.activation.endpoint, disabled_at=timezone.now()),
        lambda w: change(
            w.activation.endpoint, disabled_at=timezone.now(), disabled_reason="HTTP 500"
        ),
    ),
    "notice_ends_in_one_way": (
        lambda w: change(w.notice, delivered_at=timezone.now(), given_up_at=timezone.now()),
        lambda w: change(w.notice, delivered_at=timezone.now()),
    ),
    "subscription_fails_since_a_moment": (
        lambda w: change(w.subscription, failures_in_a_row=1),
        lambda w: change(w.subscription, failures_in_a_row=1, failing_since=timezone.now()),
    ),
    "subscription_disabled_for_a_reason": (
        lambda w: change(w.subscription, disabled_at=timezone.now()),
        lambda w: change(w.subscription, disabled_at=timezone.now(), disabled_reason="HTTP 500"),
    ),
    "subscription_once_per_address": (
        lambda w: copy(w.subscription),
        lambda w: copy(w.subscription, ended_at=timezone.now()),
    ),
    "delivery_ends_in_one_way": (
        lambda w: change(w.delivery, delivered_at=timezone.now(), given_up_at=timezone.now()),
        lambda w: change(w.delivery, delivered_at=timezone.now()),
    ),
    "one_open_ring_per_record": (
        lambda w: copy(w.ring),
        lambda w: copy(w.ring, handled_at=timezone.now()),
    ),
    "flow_once_per_activation": (
        lambda w: copy(w.flow),
        lambda w: copy(w.flow, ability="OrderSink"),
    ),
    "flow_has_interval": (lambda w: change(w.flow, every=0), lambda w: change(w.flow, every=1)),
    "one_open_ask_per_connector": (
        lambda w: copy(w.ask),
        lambda w: copy(w.ask, answered_at=timezone.now()),
    ),
    "spreadsheet_of_codes_has_activation": (
        lambda w: change(w.spreadsheet, kind="mappings"),
        lambda w: change(w.spreadsheet, kind="mappings", activation=w.activation),
    ),
    "row_once_per_spreadsheet": (
        lambda w: copy(w.row),
        lambda w: copy(w.row, number=3),
    ),
    "step_once_per_activation": (
        lambda w: copy(w.step),
        lambda w: copy(w.step, key="credentials"),
    ),
    "one_open_trial_per_activation": (
        lambda w: copy(w.trial),
        lambda w: copy(w.trial, ended_at=timezone.now()),
    ),
    "one_open_run_per_flow": (
        lambda w: copy(w.run),
        lambda w: copy(w.run, ended_at=timezone.now(), outcome="done"),
    ),
    "run_ends_with_an_outcome": (
        lambda w: change(w.run, ended_at=timezone.now()),
        lambda w: change(w.run, ended_at=timezone.now(), outcome="failed"),
    ),
    "budget_once_per_account": (
        lambda w: copy(w.budget),
        lambda w: copy(w.budget, kind="batch_calls"),
    ),
    "one_open_incident_per_flow": (
        lambda w: copy(w.incident),
        lambda w: copy(w.incident, kind="unchanged"),
    ),
    "one_open_incident_per_activation": (
        lambda w: copy(w.refusal),
        lambda w: copy(w.refusal, ended_at=timezone.now()),
    ),
    "incident_heals_by_ending": (
        lambda w: change(w.incident, healed=True),
        lambda w: change(w.incident, healed=True, ended_at=timezone.now()),
    ),
    "failure_edited_by_somebody": (
        lambda w: change(w.failure, edited_at=timezone.now()),
        lambda w: change(w.failure, edited_at=timezone.now(), edited_by=make_operator()),
    ),
    "failure_resolved_keeps_no_original": (
        lambda w: change(w.failure, resolved_at=timezone.now(), sealed="s"),
        lambda w: change(w.failure, sealed="s"),
    ),
    "repair_counts_what_it_saw": (
        lambda w: Repair.objects.create(action="retry", asked_by=make_operator(), seen=1),
        lambda w: Repair.objects.create(action="retry", asked_by=make_operator()),
    ),
    "one_open_failure_per_record": (
        lambda w: copy(w.failure),
        lambda w: copy(w.failure, resolved_at=timezone.now()),
    ),
    "event_id_once": (
        lambda w: copy(w.event, public_id=w.event.public_id),
        lambda w: copy(w.event),
    ),
    "product_public_id_once": (
        lambda w: copy(w.product, sku="C", public_id=w.product.public_id),
        lambda w: copy(w.product, sku="C"),
    ),
    "order_public_id_once": (
        lambda w: copy(w.order, original_id="2", public_id=w.order.public_id),
        lambda w: copy(w.order, original_id="2"),
    ),
    "line_public_id_once": (
        lambda w: copy(w.line, public_id=w.line.public_id),
        lambda w: copy(w.line),
    ),
    "payment_public_id_once": (
        lambda w: Payment.objects.bulk_create([Payment(order=w.order, public_id="1")] * 2),
        lambda w: Payment.objects.bulk_create([Payment(order=w.order), Payment(order=w.order)]),
    ),
    "shipment_public_id_once": (
        lambda w: Shipment.objects.bulk_create([Shipment(order=w.order, public_id="1")] * 2),
        lambda w: Shipment.objects.bulk_create([Shipment(order=w.order), Shipment(order=w.order)]),
    ),
    "sku_once_per_store": (
        lambda w: copy(w.product),
        lambda w: copy(w.product, store=make_store()),
    ),
    "product_has_sku": (lambda w: change(w.product, sku=""), lambda w: change(w.product, sku="C")),
    "product_not_own_parent": (
        lambda w: change(w.product, parent=w.product),
        lambda w: change(w.product, parent=w.other_product),
    ),
    "price_not_negative": (
        lambda w: change(w.price, price="-0.01"),
        lambda w: change(w.price, price=0),
    ),
    "special_price_not_negative": (
        lambda w: change(w.price, special_price="-0.01"),
        lambda w: change(w.price, special_price=0),
    ),
    "code_once_per_activation": (
        lambda w: copy(w.mapping, product=w.other_product),
        lambda w: copy(w.mapping, product=w.other_product, code="2"),
    ),
    "product_mapped_once_per_activation": (
        lambda w: copy(w.mapping, code="2"),
        lambda w: copy(w.mapping, code="2", product=w.other_product),
    ),
    "sent_once_per_product": (
        lambda w: copy(w.sent),
        lambda w: copy(w.sent, flow="prices"),
    ),
    "stock_reserved_is_on_hand": (
        lambda w: change(w.stock, reserved=2),
        lambda w: change(w.stock, reserved=1),
    ),
    "reserved_once_per_sale": (
        lambda w: copy(w.reservation),
        lambda w: copy(w.reservation, sale="2"),
    ),
    "reservation_holds_what_it_wants": (
        lambda w: change(w.reservation, held=2),
        lambda w: change(w.reservation, held=0),
    ),
    "order_once_per_channel_account": (
        lambda w: copy(w.order),
        lambda w: copy(w.order, channel_account="outra conta"),
    ),
    "order_status_known": (
        lambda w: change(w.order, status="lost"),
        lambda w: change(w.order, status="shipped"),
    ),
    "tally_status_known": (
        lambda w: change(w.tally, status="lost"),
        lambda w: change(w.tally, status="shipped"),
    ),
    "tally_folded_once": (
        lambda w: copy(w.tally),
        lambda w: copy(w.tally, folded=False),
    ),
    "order_word_once": (
        lambda w: copy(w.word),
        lambda w: copy(w.word, word="SOUZA"),
    ),
    "mail_once_per_order_and_kind": (
        lambda w: copy(w.mail, message_id="msg_2"),
        lambda w: copy(w.mail, message_id="msg_2", kind="delivered"),
    ),
    "mail_sent_has_its_time": (
        lambda w: change(w.mail, state="sent"),
        lambda w: change(w.mail, state="sent", sent_at=timezone.now()),
    ),
    "line_has_quantity": (
        lambda w: change(w.line, quantity=0),
        lambda w: change(w.line, quantity=2),
    ),
    "order_total_not_negative": (
        lambda w: change(w.order, total="-0.01"),
        lambda w: change(w.order, total=0),
    ),
    "line_price_not_negative": (
        lambda w: change(w.line, price="-0.01"),
        lambda w: change(w.line, price=None),
    ),
    "order_once_per_platform": (
        lambda w: copy(w.link),
        lambda w: copy(w.link, activation=make_partner(w.store, "rocky").activation),
    ),
    "one_open_brake_per_flow": (
        lambda w: copy(w.brake),
        lambda w: copy(w.brake, ability="PriceSource"),
    ),
    "brake_answered_by_somebody": (
        lambda w: change(w.brake, answer="reread", answered_at=timezone.now()),
        lambda w: change(
            w.brake, answer="reread", answered_at=timezone.now(), answered_by=make_operator()
        ),
    ),
    "brake_used_if_let_through": (
        lambda w: change(w.brake, used_at=timezone.now()),
        lambda w: change(
            w.brake,
            answer="apply",
            answered_at=timezone.now(),
            answered_by=make_operator(),
            used_at=timezone.now(),
        ),
    ),
    "one_open_comparison_per_purpose": (
        lambda w: copy(w.comparison),
        lambda w: copy(w.comparison, ended_at=timezone.now()),
    ),
    "preview_approved_by_somebody": (
        lambda w: change(w.comparison, approved_at=timezone.now()),
        lambda w: change(w.comparison, approved_at=timezone.now(), approved_by=make_operator()),
    ),
    "only_a_preview_holds": (
        lambda w: change(w.comparison, holds=True, purpose="orders"),
        lambda w: change(w.comparison, holds=True),
    ),
    "difference_asked_for_by_somebody": (
        lambda w: change(w.difference, asked_at=timezone.now()),
        lambda w: change(w.difference, asked_at=timezone.now(), asked_by=make_operator()),
    ),
    "record_listed_once": (
        lambda w: copy(w.listed),
        lambda w: copy(w.listed, flow="prices"),
    ),
    "page_taken_once": (
        lambda w: copy(w.page),
        lambda w: copy(w.page, digest=2),
    ),
    "record_taken_once": (
        lambda w: copy(w.taken),
        lambda w: copy(w.taken, flow="prices"),
    ),
}
# Columns that say it of themselves.
UNIQUE = {
    "store.domain": lambda w: copy(w.store),
    "connector.slug": lambda w: copy(w.activation.connector),
    "activation.client_id": lambda w: copy_activation(w, client_id=w.activation.client_id),
    "activation.api_user": lambda w: copy_activation(w, api_user=w.activation.api_user),
    "activation.submission": lambda w: copy_activation(w, submission=w.activation.submission),
    "accesstoken.access_hash": lambda w: copy(w.token, refresh_hash="r2"),
    "accesstoken.refresh_hash": lambda w: copy(w.token, access_hash="a2"),
    "alert.message_id": lambda w: copy(w.alert),
    "authorizationcode.code_hash": lambda w: copy(w.code),
    "doorbell.secret_hash": lambda w: Doorbell.objects.create(
        activation=make_partner(w.store, "rocky").activation, secret_hash="d"
    ),
    "order.public_id": lambda w: copy_with_public_id(w.order, original_id="2"),
    "event.public_id": lambda w: copy_with_public_id(w.event),
    "subscription.public_id": lambda w: copy_with_public_id(w.subscription, hook="order.shipped"),
    "product.public_id": lambda w: copy_with_public_id(w.product, sku="C"),
    "stock.product": lambda w: Stock.objects.create(product=w.product),
}
NEGATIVE = {
    "stock on hand": lambda w: change(w.stock, on_hand=-1),
    "stock reserved": lambda w: change(w.stock, reserved=-1),
    "a line's quantity": lambda w: change(w.line, quantity=-1),
}


def copy_with_public_id(row: Any, **values: Any) -> None:
    again = type(row)._base_manager.get(pk=row.pk)
    again.pk = None
    again._state.adding = True
    for name, value in values.items():
        setattr(again, name, value)
    again.save()


def refused(write: Callable[[World], None], world: World) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        write(world)
    return str(error.value)


@pytest.mark.parametrize("name", CASES)
def test_the_database_refuses_what_must_never_be(name: str) -> None:
    world = World()
    wrong, _right = CASES[name]

    error = refused(wrong, world)

    # SQLite names the columns, and not the constraint, of what must be unique.
    assert name in error or (connection.vendor == "sqlite" and "UNIQUE" in error)


@pytest.mark.parametrize("name", CASES)
def test_the_database_takes_what_is_right(name: str) -> None:
    _wrong, right = CASES[name]

    right(World())


@pytest.mark.parametrize("name", UNIQUE)
def test_what_names_one_row_names_no_other(name: str) -> None:
    assert "unique" in refused(UNIQUE[name], World()).lower()


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_count_is_not_negative(name: str) -> None:
    assert "check" in refused(NEGATIVE[name], World()).lower()


def test_orders_that_their_channel_does_not_number_may_be_many() -> None:
    world = World()
    change(world.order, original_id="")

    copy(world.order, original_id="")

    assert Order.objects.count() == 2


def test_an_issued_credential_needs_both_hashes_and_the_sealed_secret() -> None:
    world = World()

    for name in ("client_secret_hash", "api_secret_hash", "sealed"):
        assert "credential_holds_what_its_kind_needs" in refused(
            lambda w, name=name: change(w.credential, **{name: ""}), world
        )


def test_a_store_with_a_history_is_not_deleted() -> None:
    world = World()

    for row in (world.store, world.activation.connector, make_operator()):
        with pytest.raises(models.ProtectedError):
            row.delete()


def test_every_constraint_has_its_case() -> None:
    declared = {
        constraint.name
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    }

    assert declared == set(CASES)
