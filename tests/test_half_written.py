"""What belongs together is written together, or not at all."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.comparing import compare_catalogue
from catalog.editing import edit_product
from catalog.levels import set_prices, set_stock
from catalog.mappings import delete_mapping, replace_mappings, save_mapping
from catalog.models import Product, SkuMapping, Spreadsheet
from catalog.reservations import consume, keep_safety
from catalog.services import (
    change_stock,
    create_product,
    delete_product,
    save_product,
    take_product,
    update_product,
)
from catalog.spreadsheets.jobs import confirm, upload
from catalog.tasks import pull_products
from connectors import second_factor
from connectors.activating import FilledIn, begin, conclude, fill_in, hand_out, way_of
from connectors.asks import ask_for
from connectors.billing import set_billing
from connectors.comparisons import start_steps
from connectors.contract import ProductSource
from connectors.errors import OutOfBudget, Several
from connectors.handover import offer_handover, open_handover
from connectors.hub.tokens import grant, issue_code
from connectors.messages import hooks, notices
from connectors.messages.doorbells import doorbell_secret
from connectors.messages.rings import ring
from connectors.models import (
    Activation,
    ActivationFlow,
    BillingTerm,
    Brake,
    Comparison,
    Connector,
    Endpoint,
    Failure,
    Notice,
    Repair,
    Run,
    Subscription,
)
from connectors.records import OrderStatus, PriceRecord, ProductRecord, StockRecord
from connectors.runs.cadence import set_intervals
from connectors.runs.dispatch import read_everything_again, start_due
from connectors.runs.holding import answer_brake, approve_preview
from connectors.runs.outcomes import end, fail, release_run, wait_for_budget
from connectors.runs.running import Attempt
from connectors.services import (
    change_settings,
    pause,
    pause_refused,
    record_credential,
    resume,
    revoke,
    rotate_credential,
)
from connectors.spec import Does, Mode
from connectors.trial import ask_trial
from connectors.trouble.failures import retry
from connectors.trouble.incidents import watch_flows
from connectors.trouble.repairs import repair
from orders.buyers import revoke_links
from orders.legal_hold import set_hold
from orders.mails import send_again
from orders.models import BuyerMail, Order
from orders.personal_data import anonymise
from orders.reserving import link_late_lines
from orders.services import create_order, update_order
from orders.statistics import fold_all_tallies
from orders.upgrade import upgrade
from portal.schedules import install
from portal.webhooks import FETCHED_BY
from tests.conftest import make_operator, make_partner
from tests.everything import OLIST, store_with_everything
from tests.orders.samples import become, document
from tests.portal.pages.test_login import code_of
from tests.products import make_product

pytestmark = pytest.mark.django_db
WRITES = re.compile(r'\s*(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM)\s+"?(\w+)')
PRODUCTS = Spreadsheet.Kind.PRODUCTS
NAMED = {"name": "Outra"}
TODAY = date(2026, 3, 2)

Act = Callable[[], Any]


class Killed(BaseException):
    """The process."""


class Shop:
    """A store in which something of everything goes on."""

    def __init__(self) -> None:
        self.store, self.by = store_with_everything("tudo"), make_operator()
        self.linx, self.pluga, self.olist = map(self._named, ("linx", "pluga", "olist"))
        self.rocky = make_partner(self.store, "rocky").activation
        self.order = Order.objects.get()
        self.family = Product.objects.get(sku="tudo")
        self.mug = make_product(self.store, "CAN-07", price=30, on_hand=5)
        self.code = SkuMapping.objects.get()
        self.run = Run.objects.get()
        self.flow = ActivationFlow.objects.get(activation=self.olist, ability=self.run.ability)
        BillingTerm.objects.create(
            activation=self.pluga, number=1, starts_on=TODAY, months=1, price=1
        )

    def _named(self, slug: str) -> Activation:
        named = Activation.objects.select_related("connector", "store")
        return named.get(connector__slug=slug)

    def sold(self) -> Order:
        return create_order(self.pluga, document("2002"))

    def draft(self, slug: str, mode: Mode, until: Does) -> tuple[Activation, str]:
        """A new one that has come to this step."""
        connector = Connector.objects.get(slug=slug)
        draft, _new = begin(self.store, connector, mode, self.by, uuid.uuid4())
        for stop in way_of(draft).stops:
            if stop.step.does is until:
                break
            draft.steps.create(key=stop.step.key, done_by=self.by)
        return draft, stop.step.key


# -- What is done ----------------------------------------------------------------------------------
def _open_link(shop: Shop) -> Act:
    _handover, token = offer_handover(shop.linx.pk, shop.by)
    return lambda: open_handover(token, None, "")


def _swap_code(shop: Shop) -> Act:
    issued = rotate_credential(shop.linx.pk, shop.by)
    shop.linx.credentials.update(last_used_at=timezone.now())
    form = {
        "grant_type": "authorization_code",
        "client_id": issued.client_id,
        "client_secret": issued.client_secret,
        "code": issue_code(shop.linx, shop.by),
    }
    return lambda: grant(form, None)


def _refresh(shop: Shop) -> Act:
    issued = rotate_credential(shop.linx.pk, shop.by)
    form = {"client_id": issued.client_id, "client_secret": issued.client_secret}
    user = {"username": issued.api_user, "password": issued.api_secret}
    granted = grant({**form, **user, "grant_type": "password"}, None)
    renewed = {"grant_type": "refresh_token", "refresh_token": granted.refresh_token}
    return lambda: grant({**form, **renewed}, None)


def _fill_in(shop: Shop) -> Act:
    draft, key = shop.draft("olist", Mode.MANAGED, Does.FILL_IN)
    typed = FilledIn(plugin_url="https://erp.example.com.br", received=OLIST)
    return lambda: fill_in(draft.pk, key, "", typed, shop.by)


def _hand_out(shop: Shop) -> Act:
    draft, key = shop.draft("linx", Mode.PARTNER, Does.ISSUE)
    return lambda: hand_out(draft.pk, key, shop.by)


def _conclude(shop: Shop) -> Act:
    draft, key = shop.draft("olist", Mode.MANAGED, Does.CHECK)
    record_credential(draft, OLIST, shop.by)
    draft.trials.create(asked_by=shop.by, ended_at=timezone.now())
    return lambda: conclude(draft.pk, key, shop.by, preview=True)


def _upgrade(shop: Shop) -> Act:
    old, new = (
        make_partner(shop.store, "linx", values={"store_version": version}).activation
        for version in ("v1", "v2")
    )
    return lambda: upgrade(old.pk, new.pk, "")


def _resume(shop: Shop) -> Act:
    pause(shop.olist.pk, "")
    return lambda: resume(shop.olist.pk)


def _record_credential(shop: Shop) -> Act:
    pause_refused(shop.olist.pk, "HTTP 401")
    return lambda: record_credential(shop.olist, {**OLIST, "token": "novo"}, shop.by)


def _consume(shop: Shop) -> Act:
    sale = shop.sold().public_id
    return lambda: consume(shop.store, sale, None)


def _link_late_lines(shop: Shop) -> Act:
    order = create_order(shop.pluga, document("4004", items=[{"sku": "TARDE", "quantity": 1}]))
    make_product(shop.store, "TARDE", on_hand=1)
    return lambda: link_late_lines(order.pk)


def _ring(shop: Shop) -> Act:
    told = {"idProduto": "7"}
    notice = {"versao": "1.0", "cnpj": shop.store.cnpj, "tipo": "estoque", "dados": told}
    secret, body = doorbell_secret(shop.olist), json.dumps(notice).encode()
    return lambda: ring(secret, body, FETCHED_BY)


def _part(shop: Shop) -> Act:
    several = Several("", [{"id": 1}, {"id": 2}])
    return lambda: Attempt(shop.run, shop.flow, shop.olist, {"tudo"}).part("tudo", several)


def _send_mail_again(shop: Shop) -> Act:
    mail = BuyerMail.objects.get()
    BuyerMail.objects.update(address="ana@example.com", state=BuyerMail.State.FAILED)
    return lambda: send_again(mail.pk, shop.by)


def _switch_second_factor_on(shop: Shop) -> Act:
    second_factor.offered(shop.by)
    code = code_of(shop.by)
    return lambda: second_factor.switch_on(shop.by, code)


def _update_order(shop: Shop) -> Act:
    order = shop.sold()
    return lambda: update_order(order.pk, become(OrderStatus.CANCELED), shop.by)


def _anonymise(shop: Shop) -> Act:
    order = shop.sold()
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.DELIVERED)
    return lambda: anonymise(shop.store, [order.pk], "", shop.by)


def _approve_preview(shop: Shop) -> Act:
    preview = Comparison.objects.get()
    preview.ended_at = timezone.now()
    preview.save()
    return lambda: approve_preview(preview.pk, shop.by)


def _enable_notices(shop: Shop) -> Act:
    gone = {"disabled_at": timezone.now(), "disabled_reason": "HTTP 500"}
    Endpoint.objects.filter(pk=shop.linx.pk).update(**gone)
    return lambda: notices.enable_notices(shop.linx.pk)


def _replay_notices(shop: Shop) -> Act:
    Notice.objects.update(delivered_at=timezone.now())
    return lambda: notices.replay(Notice.objects.all())


ACTS: list[Callable[[Shop], Act]] = [
    _open_link, _swap_code, _refresh, _fill_in, _hand_out, _conclude, _upgrade,
    _resume, _record_credential, _consume, _update_order, _anonymise, _approve_preview,
    _enable_notices, _replay_notices, _link_late_lines, _ring, _part,
    _send_mail_again, _switch_second_factor_on,
    lambda shop: partial(pause_refused, shop.olist.pk, "HTTP 401"),
    lambda shop: partial(offer_handover, shop.linx.pk, shop.by),
    lambda shop: partial(rotate_credential, shop.linx.pk, shop.by),
    lambda shop: partial(revoke, shop.pluga.pk, shop.by),
    lambda shop: partial(change_settings, shop.linx.pk, None, "https://n.example.com", {}),
    lambda shop: partial(set_billing, shop.pluga.pk, TODAY, [(3, Decimal(10))]),
    lambda shop: partial(ask_for, shop.store, shop.linx.connector, "", shop.by),
    lambda shop: partial(ask_trial, shop.olist.pk, shop.by),
    lambda shop: partial(answer_brake, Brake.objects.get().pk, Brake.Answer.APPLY, shop.by),
    lambda shop: partial(set_intervals, shop.rocky.pk, {"ProductSource": 7, "PriceSource": 7}),
    lambda shop: partial(end, shop.run, shop.flow, only_told=False),
    lambda shop: partial(fail, shop.run, shop.flow, "HTTP 500"),
    lambda shop: partial(wait_for_budget, shop.run, shop.flow, OutOfBudget("", 60)),
    lambda shop: partial(release_run, shop.run.pk, "ana"),
    lambda shop: partial(start_due, ProductSource, pull_products),
    lambda shop: read_everything_again,
    lambda shop: partial(start_steps, [Comparison.Purpose.PREVIEW], compare_catalogue),
    lambda shop: partial(retry, Failure.objects.all()),
    lambda shop: partial(repair, Repair.Action.RETRY, Failure.objects.all(), shop.by),
    lambda shop: watch_flows,
    lambda shop: partial(hooks.end_subscription, Subscription.objects.get().pk, "HTTP 410"),
    lambda shop: partial(take_product, ProductRecord("CAN-07", NAMED), 1, shop.olist, None),
    lambda shop: partial(create_product, shop.store, {"sku": "NOVO", "price": 1}, shop.linx),
    lambda shop: partial(save_product, shop.store, "CAN-07", NAMED, shop.linx),
    lambda shop: partial(update_product, shop.store, shop.mug.pk, {"price": 3}, shop.linx),
    lambda shop: partial(change_stock, shop.store, shop.mug.pk, "update", 2, shop.linx),
    lambda shop: partial(delete_product, shop.store, shop.family.pk, shop.linx),
    lambda shop: partial(set_stock, shop.store, [StockRecord("CAN-07", 2)], shop.olist),
    lambda shop: partial(set_prices, shop.store, [PriceRecord("CAN-07", Decimal(2))], shop.olist),
    lambda shop: partial(keep_safety, shop.mug.pk, 2),
    lambda shop: partial(edit_product, shop.mug.pk, NAMED, shop.by),
    lambda shop: lambda: delete_mapping(SkuMapping.objects.get()),
    lambda shop: lambda: save_mapping(
        SkuMapping(activation=shop.olist, code="novo", product=shop.mug)
    ),
    lambda shop: partial(replace_mappings, shop.olist, [shop.code.pk], {"x": shop.mug.pk}),
    lambda shop: partial(upload, shop.store, PRODUCTS, "a.csv", b"SKU;Nome\n1;a\n", shop.by),
    lambda shop: partial(confirm, Spreadsheet.objects.get().pk),
    lambda shop: partial(create_order, shop.pluga, document("3003")),
    lambda shop: partial(revoke_links, shop.order.pk, shop.by),
    lambda shop: partial(set_hold, shop.order.pk, True, "processo", shop.by),
    lambda shop: fold_all_tallies,
    lambda shop: install,
]  # fmt: skip


def test_who_is_killed_before_the_last_statement_has_written_nothing() -> None:
    shop, half_written = Shop(), []
    for number, prepare in enumerate(ACTS):
        with transaction.atomic():
            act = prepare(shop)
            written = _tables_written(act)
            before = _rows(written)
            with pytest.raises(Killed), connection.execute_wrapper(Killer(len(written))):
                act()
            transaction.set_rollback(False)  # of what has no transaction of its own
            if _rows(written) != before:
                half_written.append((number, act))
            transaction.set_rollback(True)

    assert half_written == []


class Killer:
    """Comes before the statement that is the `last` of those that write."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __call__(self, execute: Any, sql: str, *what: Any) -> Any:
        if WRITES.match(sql):
            self.left -= 1
            if not self.left:
                raise Killed
        return execute(sql, *what)


def _tables_written(act: Act) -> list[str]:
    """By each of its statements; nothing of it stays."""
    tables = []

    def note(execute: Any, sql: str, *what: Any) -> Any:
        if writes := WRITES.match(sql):
            tables.append(writes[1])
        return execute(sql, *what)

    with transaction.atomic(), connection.execute_wrapper(note):
        act()
        transaction.set_rollback(True)
    assert tables, act
    return tables


def _rows(tables: list[str]) -> list[Any]:
    rows = []
    with connection.cursor() as cursor:
        for table in sorted(set(tables)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows.append(sorted(map(str, cursor.fetchall())))
    return rows
