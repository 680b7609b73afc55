"""Why a SKU is not what it should be somewhere: the chain of decisions of each catalogue flow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Product, Sent, SkuMapping, Taken
from connectors.contract import SINK_NAMES, Flow
from connectors.models import Activation, Store
from connectors.moments import when
from connectors.spec import Mode
from connectors.trouble.causes import Actor
from connectors.trouble.why import (
    GOOD,
    NOTE,
    STOP,
    WAIT,
    Chain,
    Decision,
    Scene,
    chain_of,
    not_expected,
    page,
    rows_of,
    title_of,
)

CATALOGUE = (Flow.PRODUCTS, Flow.PRICES, Flow.STOCK)


@dataclass
class Item:
    """What the store has behind a code, and what each integration was told, or told us, of it."""

    code: str
    product: Product | None
    mapped: Mapping[int, str]  # by activation: what its platform calls it
    sent: Mapping[tuple[int, str], Sent]
    taken: Mapping[tuple[int, str], Taken]

    @property
    def codes(self) -> set[str]:
        sku = {self.product.sku} if self.product else set()
        return {self.code, *sku, *self.mapped.values()}

    def head(self) -> int | None:
        """Of a variation, its product: a channel is sent those whole."""
        return (self.product.parent_id or self.product.pk) if self.product else None


def find_item(store: Store, code: str) -> Item:
    """By our SKU, else by what any of the store's platforms calls it."""
    products = Product.objects.filter(store=store).with_levels()
    product = products.filter(sku=code).first()
    if product is None:
        by_code = Q(sku_mappings__code=code, sku_mappings__activation__store=store)
        product = products.filter(by_code).order_by("pk").first()
    mine = {"activation__store": store}
    mappings = SkuMapping.objects.filter(product=product, **mine) if product else []
    mapped = {each.activation_id: each.code for each in mappings}
    sent: dict[tuple[int, str], Sent] = {}
    taken: dict[tuple[int, str], Taken] = {}
    if product is not None:
        family = Sent.objects.filter(product__in=[product.pk, product.parent_id or product.pk])
        for row in family.filter(**mine):
            # Of the product flow its head counts; of the others its own row.
            head = row.product_id == (product.parent_id or product.pk)
            if (row.flow == Flow.PRODUCTS) == head or row.product_id == product.pk:
                sent[row.activation_id, row.flow] = row
        for each in Taken.objects.filter(product=product, **mine):
            taken[each.activation_id, each.flow] = each
    return Item(code, product, mapped, sent, taken)


def chains_of_item(scene: Scene, item: Item) -> list[Chain]:
    chains = []
    for activation in scene.activations:
        rows = rows_of(scene, activation, CATALOGUE)
        if not rows:
            chains.append(not_expected(activation, CATALOGUE))
        for row in rows:
            chain = chain_of(scene, activation, title_of(row), row)
            own = _sent_decisions if row.ability in SINK_NAMES else _taken_decisions
            chain.decisions += own(item, activation, row)
            chains.append(chain)
    return chains


def _taken_decisions(item: Item, activation: Activation, row: Any) -> list[Decision]:
    """What came in."""
    taken = item.taken.get((activation.pk, row.flow))
    if taken is not None:
        text = _("Recebido como %(code)s e aceito em %(at)s.")
        decisions = [Decision(GOOD, text % {"code": taken.record_id, "at": when(taken.at)})]
        if taken.digest is None:
            text = _("Outro mudou este produto depois: o que chegar é comparado por inteiro.")
            decisions.append(Decision(NOTE, text))
        return decisions
    if item.product is None:
        return [_unmapped(item, activation)]
    if activation.mode == Mode.PARTNER:
        if activation.pk in (item.product.created_by_id, item.product.modification.by_id):
            text = _("O parceiro mandou este produto; última mudança em %s.")
            return [Decision(GOOD, text % when(item.product.modification.at))]
        text = _("o parceiro não mandou nada deste SKU pela nossa API.")
        return [Decision(WAIT, text, Actor.PLATFORM.label)]
    text = _("nada deste SKU chegou por este fluxo: a plataforma não o listou, ou o lista com"
             " outro código.")  # fmt: skip
    if activation.pk not in item.mapped:
        text += " " + _("Não há De/Para dele nesta integração.")
    return [Decision(WAIT, text, Actor.MERCHANT.label, _add_mapping(item, activation),
                 _("Criar o De/Para"))]  # fmt: skip


def _sent_decisions(item: Item, activation: Activation, row: Any) -> list[Decision]:
    """What went out."""
    product = item.product
    if product is None:
        text = _("a loja não tem produto com este SKU: não há o que enviar.")
        return [Decision(STOP, text, Actor.MERCHANT.label)]
    decisions = []
    called = item.mapped.get(activation.pk)
    if called:
        decisions.append(Decision(NOTE, _("De/Para: no canal ele se chama %s.") % called))
    if row.flow == Flow.PRICES and product.price_row.price is None:
        text = _("o produto não tem preço na loja.")
        url = page("catalog_product", product.pk)
        return [*decisions, Decision(STOP, text, Actor.MERCHANT.label, url, _("Abrir o produto"))]
    sent = item.sent.get((activation.pk, row.flow))
    head = item.sent.get((activation.pk, Flow.PRODUCTS))
    if sent is None:
        text = _("o produto ainda não foi comparado com o canal; é na próxima execução.")
        return [*decisions, Decision(WAIT, text, Actor.NOBODY.label)]
    waits_for_product = row.flow != Flow.PRODUCTS and head is not None and not head.digest
    if waits_for_product:
        text = _("espera o canal aceitar antes o próprio produto.")
        return [*decisions, Decision(WAIT, text, Actor.NOBODY.label)]
    if sent.changed_at is not None:
        text = _("mudou em %s e espera a próxima execução.") % when(sent.changed_at)
        decisions.append(Decision(WAIT, text, Actor.NOBODY.label))
    elif sent.refused:
        text = _("o canal recusou, e a falha foi dispensada: só é enviado quando mudar.")
        url = page("catalog_product", product.pk)
        decisions.append(Decision(STOP, text, Actor.HUB.label, url, _("Abrir o produto")))
    if sent.digest and sent.changed_at is None and not sent.refused:
        text = _("Enviado como %(code)s; o canal tem o que é verdade aqui. Id lá: %(id)s.")
        facts = {"code": sent.code, "id": sent.external_id or "-"}
        decisions.append(Decision(GOOD, text % facts))
    return decisions


def _unmapped(item: Item, activation: Activation) -> Decision:
    text = _("a loja não tem produto com este SKU, e não há De/Para deste código.")
    url = _add_mapping(item, activation)
    return Decision(STOP, text, Actor.HUB.label, url, _("Criar o De/Para"))


def _add_mapping(item: Item, activation: Activation) -> str:
    query = urlencode({"activation": activation.pk, "code": item.code})
    return reverse("admin:catalog_skumapping_add") + f"?{query}"
