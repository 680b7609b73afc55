"""Sending the catalogue to channels, until what they were sent is what is true.

A change marks what it may have made untrue (catalog/telling.py), in its own transaction. What is
marked is compared here with what was sent, and sent where it differs: after a crash, or a
channel's bad day, the next run sends what is still missing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from django.db import transaction
from django.db.models import (
    Case,
    DateTimeField,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.marks import clear, mark_all_daily, rewrite
from catalog.models import Product, Sent, SkuMapping
from catalog.offers import (
    Codes,
    both,
    code_of,
    digest_of,
    elements_of,
    price_record,
    product_record,
    stock_record,
    with_removals,
)
from catalog.wire import write_product
from connectors.bulk import among
from connectors.contract import Ability, Flow, PriceSink, ProductSink, StockSink
from connectors.errors import Refused, Rejected
from connectors.models import Activation, Run
from connectors.models.flows import RUN_LIFE
from connectors.records import PriceRecord, ProductRecord, StockRecord
from connectors.runs.dispatch import start_due, start_soon
from connectors.runs.running import Attempt, run_flow
from connectors.trouble.causes import MISSING_DATA

# Two calls for each, at a slow channel, must fit into a task's time.
AT_ONCE = 50
SENT_AS = ("product_id", "code", "elements", "unanswered")
NOTHING = "nothing"  # refused: that there is nothing to send

R = TypeVar("R", ProductRecord, PriceRecord, StockRecord)


def push_all_products() -> None:
    start_due(ProductSink, push_products)


def push_all_prices() -> None:
    start_due(PriceSink, push_prices)


def push_all_stock() -> None:
    start_due(StockSink, push_stock)


def push_products(flow_id: int) -> None:
    run_flow(flow_id, ProductSink, _push_products)


def push_prices(flow_id: int) -> None:
    run_flow(flow_id, PriceSink, _push_prices)


def push_stock(flow_id: int) -> None:
    run_flow(flow_id, StockSink, _push_stock)


# What sends each flow.
PUSHES: dict[Flow, tuple[type[Ability], Callable[[int], None]]] = {
    Flow.PRODUCTS: (ProductSink, push_products),
    Flow.PRICES: (PriceSink, push_prices),
    Flow.STOCK: (StockSink, push_stock),
}


def _push_products(attempt: Attempt, sink: ProductSink) -> None:
    def send(row: Sent, record: ProductRecord) -> str:
        code = row.code
        if code and code != record.sku:  # De/Para says another one by now
            left = _leave(row)
            if take_off(left):
                left.delete()
        if code:
            _tell_levels_of_new(row, record)
        _note_code(row, record.sku)  # it may be there by that, whether we hear of it or not
        there = both(row.elements or {}, row.unanswered or {})
        try:
            return sink.push_product(with_removals(record, there))
        except Rejected:
            _note_code(row, code)  # what is there by the other may be somebody else's
            raise

    def take_off(row: Sent) -> bool:
        is_final = not _tells_levels(row)
        if row.code and not _is_anothers(attempt.activation, row.code):
            sink.remove_product(row.code)
        return is_final

    _push(attempt, product_record, send, take_off)
    if attempt.run.changed:
        for flow in (Flow.PRICES, Flow.STOCK):  # they may have waited for just this
            ability, task = PUSHES[flow]
            start_soon(task, attempt.activation.flows.filter(ability=ability.__name__))


def _note_code(row: Sent, code: str) -> None:
    if row.code != code:
        row.code = code
        Sent.objects.filter(pk=row.pk).update(code=code)


@transaction.atomic
def _leave(row: Sent) -> Sent:
    """It goes to another code: what is at this one is nobody's, and has to be taken off. Before it
    is: whoever dies then does not know whether it has gone."""
    left = Sent.objects.create(
        activation_id=row.activation_id, flow=row.flow, code=row.code, changed_at=timezone.now()
    )
    row.elements, row.unanswered = None, both(row.elements or {}, row.unanswered or {})
    Sent.objects.filter(pk=row.pk).update(elements=None, unanswered=row.unanswered)
    return left


def _tells_levels(left: Sent) -> bool:
    """Prices or stock are being told, perhaps by codes that are none any more: then a channel
    makes a product again of what was taken off. Who began before it left has a run's life."""
    if left.changed_at and timezone.now() - left.changed_at > RUN_LIFE:
        return False
    names = [PUSHES[flow][0].__name__ for flow in (Flow.PRICES, Flow.STOCK)]
    going_on = Run.objects.filter(activation=left.activation_id, ended_at=None)
    return going_on.filter(ability__in=names).exists()


def _tell_levels_of_new(row: Sent, record: ProductRecord) -> None:
    """What is new there has no price and no stock, also if it had them by its code before."""
    new = {sku or record.sku for sku in elements_of(record).keys() - (row.elements or {}).keys()}
    family = Q(product=row.product_id) | Q(product__parent=row.product_id)
    levels = Sent.objects.filter(family, activation=row.activation_id).exclude(flow=Flow.PRODUCTS)
    if new:
        rewrite(levels.filter(code__in=new), digest="", changed_at=timezone.now())


def _push_prices(attempt: Attempt, sink: PriceSink) -> None:
    _push(
        attempt, price_record, lambda row, record: sink.push_price(record), without=_price_is_gone
    )


def _price_is_gone(row: Sent, product: Product, codes: Codes) -> Refused | None:
    """Nobody can tell a channel that there is none: it goes on selling at the one it was told."""
    is_sold = not product.variations.all()
    if not is_sold or row.code != code_of(product, codes):
        return None
    text = _(
        "O produto ficou sem preço aqui, e o canal segue com o último que recebeu. Informe um"
        " preço; enquanto isso, só o estoque zerado impede a venda."
    )
    return Refused(text, cause=MISSING_DATA)


def _push_stock(attempt: Attempt, sink: StockSink) -> None:
    _push(attempt, stock_record, lambda row, record: sink.push_stock(record))


def _push(
    attempt: Attempt,
    read: Callable[[Product, Codes], R | None],
    send: Callable[[Sent, R], str | None],
    take_off: Callable[[Sent], bool] = lambda row: True,
    without: Callable[[Sent, Product, Codes], Refused | None] = lambda *_it: None,
) -> None:
    """`without` says what is wrong with having no record any more."""
    mark_all_daily(attempt)
    for rows in _marked(attempt):
        products, codes = load_offered(
            attempt.activation, [row.product_id for row in rows if row.product_id]
        )
        absent = _not_there_yet(attempt, products, codes)
        true: list[Sent] = []
        untrue: list[tuple[Sent, Product, R]] = []
        for row in rows:
            if row.product_id is None:
                _let_go(attempt, row, take_off)
            elif row.product_id in products and row.product_id not in absent:
                product = products[row.product_id]
                record = read(product, codes)
                if record is None:
                    if _is_settled(attempt, row, product, without(row, product, codes)):
                        true.append(row)
                elif _is_true(attempt, row, record):
                    true.append(row)
                elif not _rests(attempt, row, record):
                    untrue.append((row, product, record))
        _note_what_is_asked(untrue)
        for row, product, record in untrue:
            _tell(attempt, row, product, record, send)
        clear(true)
    attempt.mend_all_but(partial(_refused, attempt))


def _refused(attempt: Attempt, failed: set[str]) -> Iterable[str]:
    """Of these, what the channel was to be told and refused, by what it is called there now."""
    activation, flow = attempt.activation, attempt.flow.flow
    codes = SkuMapping.objects.filter(activation=activation, code__in=among(failed))
    skus = activation.store.products.filter(sku__in=among(failed))
    # By their products: what was sent has no index by what was refused of it.
    ids = {*codes.values_list("product", flat=True), *skus.values_list("pk", flat=True)}
    mapped = SkuMapping.objects.filter(activation=activation, product=OuterRef("product"))
    called = Coalesce(Subquery(mapped.values("code")), F("product__sku"))
    mine = Sent.objects.filter(activation=activation, flow=flow)
    refused = mine.filter(product__in=among(ids)).exclude(refused="").annotate(called=called)
    gone = mine.filter(product=None)
    return [
        *refused.values_list("called", flat=True),
        *gone.values_list("code", flat=True),
    ]


def _marked(attempt: Attempt) -> Iterator[list[Sent]]:
    """Some at a time, and each once: what is refused does not keep the others waiting."""
    flow = attempt.flow
    marked = Sent.objects.to_compare().filter(activation=flow.activation_id, flow=flow.flow)
    if _waits_for_products(attempt):
        marked = marked.of_known_products()
    last = 0
    while rows := list(marked.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = rows[-1].pk
        yield rows
        attempt.advance(attempt.since)


def load_offered(
    activation: Activation, product_ids: Collection[int]
) -> tuple[dict[int, Product], Codes]:
    """What the records of these products are made of. After the marks: what is read here is as
    new as them, or newer."""
    family = Product.objects.with_levels().select_related("parent").prefetch_related("variations")
    products = family.in_bulk(product_ids)
    ids = {product.parent_id for product in products.values()} - {None}
    ids |= {each.pk for product in products.values() for each in product.variations.all()}
    mappings = SkuMapping.objects.filter(activation=activation, product__in={*products, *ids})
    return products, dict(mappings.values_list("product_id", "code"))


def _waits_for_products(attempt: Attempt) -> bool:
    return attempt.flow.flow != Flow.PRODUCTS and ProductSink in attempt.activation.spec.flows


def _not_there_yet(attempt: Attempt, products: Mapping[int, Product], codes: Codes) -> set[int]:
    """Those whose product the channel was not sent under its code of now, and variations that it
    did not have yet then."""
    if not _waits_for_products(attempt):
        return set()
    heads = {pk: product.parent or product for pk, product in products.items()}
    rows = Sent.objects.filter(
        activation=attempt.activation,
        flow=Flow.PRODUCTS,
        product__in={head.pk for head in heads.values()},
    )
    sent = {pk: told for pk, *told in rows.values_list(*SENT_AS)}

    def is_there(product: Product, head: Product) -> bool:
        code, elements, unanswered = sent.get(head.pk, ("", None, None))
        if elements is None and unanswered is not None:
            return False  # it left its code before, and was not heard of since
        is_in_it = product.parent_id is None or code_of(product, codes) in (elements or {})
        return code == code_of(head, codes) and is_in_it

    return {pk for pk, head in heads.items() if not is_there(products[pk], head)}


def _is_true(attempt: Attempt, row: Sent, record: R) -> bool:
    digest = digest_of(record)
    # Refused, and then dismissed by a person: nobody wants to hear of it before it changes.
    dismissed = row.refused == digest and record.sku not in attempt.open_failures
    known = row.digest == digest and row.unanswered is None
    if known:
        attempt.mend(record.sku)  # what was refused meanwhile was taken back
    return dismissed or known


def _is_settled(attempt: Attempt, row: Sent, product: Product, trouble: Refused | None) -> bool:
    """There is nothing to send of it. Is that wrong, it is put on record until it is otherwise, or
    until a person dismisses it. What nobody can buy does no harm, but is looked at again."""
    mine = Sent.objects.filter(pk=row.pk)
    if trouble is None or not product.stock_row.available:
        if row.refused:
            mine.update(refused="")
        return trouble is None
    if row.refused == NOTHING and row.code not in attempt.open_failures:
        return True
    if row.refused == NOTHING and attempt.rests(row.code):
        return False
    with attempt.item(record_id=row.code) as item:
        item.source = partial(write_product, product, None)
        raise trouble
    # What comes next is told, also what was told before.
    mine.update(refused=NOTHING, unanswered={})
    return False


def _rests(attempt: Attempt, row: Sent, record: R) -> bool:
    """It was refused as it is, and its time has not come. What changed is tried anew."""
    return attempt.rests(record.sku) and row.refused == digest_of(record)


@transaction.atomic
def _note_what_is_asked(untrue: Iterable[tuple[Sent, Product, R]]) -> None:
    """Before it is: whoever dies, or hears no answer, does not know what the channel has, and what
    it was sent before that may be untrue once it is what is wanted again."""
    levels: list[int] = []
    for row, _product, record in untrue:
        if not isinstance(record, ProductRecord):
            levels.append(row.pk)
            continue
        asked = both(row.unanswered or {}, elements_of(record))
        if asked != row.unanswered or row.refused:
            row.unanswered = asked
            Sent.objects.filter(pk=row.pk).update(unanswered=asked, refused="")
    if levels:
        rewrite(Sent.objects.filter(pk__in=among(levels)), unanswered={}, refused="")


def _tell(
    attempt: Attempt,
    row: Sent,
    product: Product,
    record: R,
    send: Callable[[Sent, R], str | None],
) -> None:
    same_mark = When(changed_at=row.changed_at, then=Value(None))
    mine = Sent.objects.filter(pk=row.pk)
    with attempt.item(record_id=record.sku) as item:
        item.source, item.record = partial(write_product, product, None), record
        external_id = send(row, record)
        mine.update(
            code=record.sku,
            external_id=external_id or "",
            digest=digest_of(record),
            refused="",
            answered_at=timezone.now(),
            elements=elements_of(record) if isinstance(record, ProductRecord) else None,
            unanswered=None,
            # Changed while we sent it: it is compared once more.
            changed_at=Case(same_mark, default=F("changed_at"), output_field=DateTimeField()),
        )
        item.changed = True
    if not item.changed:
        mine.update(refused=digest_of(record), answered_at=timezone.now())


def _let_go(attempt: Attempt, row: Sent, take_off: Callable[[Sent], bool]) -> None:
    """Its product is not ours any more. `take_off` says whether it needs no second look."""
    if attempt.rests(row.code):
        return
    with attempt.item(record_id=row.code) as item:
        item.source = partial(model_to_dict, row, fields=["code", "external_id", "elements"])
        if take_off(row):
            row.delete()
        item.changed = True


def _is_anothers(activation: Activation, code: str) -> bool:
    """A product of the store is called so in the channel now."""
    if SkuMapping.objects.filter(activation=activation, code=code).exists():
        return True
    unmapped = activation.store.products.exclude(sku_mappings__activation=activation)
    return unmapped.filter(sku=code).exists()
