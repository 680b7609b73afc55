"""A company's account at Olist ERP, formerly Tiny: its API v2 (platform-apis.md, section 3).

HTTP 200 for every outcome, numbers now as numbers and now as strings, labels where orders are
read and slugs where they are written: as the ERP does it. Its people invoice, send and deliver
approved orders, one step at each `work`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from connectors.sandbox.invoices import ISSUER, make_key, now
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.tiny_answers import (
    DATE,
    Fault,
    Form,
    Json,
    found_by_id,
    paged,
    updated_at,
)
from connectors.sandbox.tiny_limits import Limits
from connectors.sandbox.tiny_orders import LABELS, STEPS, Order, goods_of, total_of, what_is_wrong
from connectors.sandbox.tiny_products import Shelves, in_its_words

AUTHORISED = "6"  # an invoice's situation


class Tiny(Shelves):
    """Credentials: `token`; and where the company's plan has a limit, `per_minute`, with `minute`,
    the seconds that a minute lasts."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.orders: dict[str, Order] = {}
        limit, minute = credentials.get("per_minute", "0"), credentials.get("minute", "60")
        self.limits = Limits(int(limit), float(minute))

    def is_reading(self, request: Request) -> bool:
        """Every service is called by POST."""
        return any(word in request.path[-1] for word in ("pesquisa", "obter", "lista."))

    # -- What its people do ----------------------------------------------------------------------
    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product {codigo, nome, preco, …, saldo, variacoes: [{codigo, preco, grade, saldo}]}
        with any field of `produto.obter`, or in the hub's words {sku, name, price, quantity,
        variations}; set_price {codigo, preco, preco_promocional}; set_stock
        {codigo, saldo, saldoReservado, depositos}; set_situation {numero_ecommerce, situacao};
        settings {notify, integrator_id}: where its webhooks go; plan {per_minute, seconds};
        report."""
        data = in_its_words(data)
        match verb:
            case "put_product":
                return self.put_product(data)
            case "set_price":
                return self.set_price(data)
            case "set_stock":
                return self.set_stock(data)
            case "set_situation":
                order = next(
                    each for each in self.orders.values() if each.number == data["numero_ecommerce"]
                )
                self._move(order, data["situacao"])
                return {"id": order.id}
            case "settings":
                self.webhooks.settle(data["notify"], data["integrator_id"])
                return {}
            case "plan":
                self.limits = Limits(**data)
                return {}
            case "report":
                return self.report()
        raise ValueError(verb)

    def report(self) -> Json:
        return {
            "products": {each["codigo"]: each["nome"] for each in self.products.values()},
            "prices": {
                each["codigo"]: {
                    "price": str(each["preco"]),
                    "special_price": str(each["preco_promocional"]),
                }
                for each in self.products.values()
            },
            "stock": {
                self.products[id]["codigo"]: stock["saldo"] - stock["saldoReservado"]
                for id, stock in self.stock.items()
            },
            "orders": {
                order.number: {
                    "id": order.id,
                    "created": sum(each.number == order.number for each in self.orders.values()),
                    "situacao": order.situation,
                    "situacoes": list(order.situations),
                    "invoice": order.invoice,
                    "shipping": order.shipping,
                    "document": order.document,
                }
                for order in self.orders.values()
            },
            "webhooks": self.webhooks.report(),
            "calls_refused": self.limits.refused,
        }

    def work(self) -> None:
        for order in self.orders.values():
            if order.situation in STEPS:
                self._move(order, STEPS[order.situation])
        self.webhooks.ring()

    def _move(self, order: Order, situation: str) -> None:
        """What a situation needs and the order does not have yet comes into being."""
        if situation == "cancelado" and order.situation != situation:
            self.put_aside(order.document, -1)
        order.situations.append(situation)
        order.changed_at = now()
        self.webhooks.order_changed(order, "atualizacao_pedido")
        if situation in ("faturado", "enviado", "entregue") and order.invoice is None:
            order.invoice = self._issue()
            self.webhooks.invoice_authorised(order, order.invoice)
        if situation in ("enviado", "entregue") and not order.shipping:
            code = f"TN{crc32(f'{self.name}/{order.id}'.encode()) % 10**9:09}BR"
            order.shipping = {
                "nome_transportador": "Transportadora Exemplo",
                "forma_frete": "Expressa",
                "codigo_rastreamento": code,
                "url_rastreamento": f"https://rastreio.example.com/{code}",
                "data_envio": f"{now():{DATE}}",
            }
            self.webhooks.tracked(order)
        if situation == "entregue":
            order.delivered_on = f"{now():{DATE}}"

    def _issue(self) -> Json:
        """An authorised NF-e."""
        number = 1 + sum(each.invoice is not None for each in self.orders.values())
        return {
            "id": self.new_id(),
            "numero": f"{number:06}",
            "serie": "1",
            "data_emissao": f"{now():{DATE}}",
            "situacao": AUTHORISED,
            "chave_acesso": make_key(self.name, number, now()),
        }

    # -- The API ---------------------------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        serve = SERVICES.get("/".join(request.path))
        if request.method != "POST" or serve is None:
            return Response(b"<html>404</html>", 404)
        form = request.form()
        try:
            self.limits.spend("/".join(request.path))
            if not form.get("token"):
                raise Fault(1, "token não informado")
            if form["token"] != self.credentials["token"]:
                raise Fault(2, "token invalido")
            answer = {"status_processamento": "3", "status": "OK", **serve(self, form)}
        except Fault as fault:
            answer = fault.answer()
        return Response({"retorno": answer}, headers=self.limits.headers)

    def info(self, form: Form) -> Json:
        return {"conta": {"razao_social": f"{self.name} Ltda", "cnpj_cpf": ISSUER}}

    def search_orders(self, form: Form) -> Json:
        """The comparison of numbers is loose, as the ERP's is."""
        if not {"numeroEcommerce", "dataAtualizacao", "situacao"} & set(form):
            raise Fault(10, "Informe ao menos um parâmetro de pesquisa")
        found = [
            {
                "pedido": {
                    "id": int(each.id),
                    "numero": int(each.id),
                    "numero_ecommerce": each.number or None,
                    "data_pedido": each.document.get("data_pedido", ""),
                    "nome": each.document["cliente"]["nome"],
                    "valor": f"{total_of(each.document):.2f}",
                    "situacao": LABELS[each.situation],
                    "codigo_rastreamento": each.shipping.get("codigo_rastreamento", ""),
                }
            }
            for each in self.orders.values()
            if form.get("numeroEcommerce", "") in each.number
            and form.get("situacao", each.situation) == each.situation
            and each.changed_at >= updated_at(form.get("dataAtualizacao", ""))
        ]
        return paged("pedidos", found, form)

    def include_order(self, form: Form) -> Json:
        """Takes the same number as often as it comes: the ERP offers no idempotency."""
        try:
            document = json.loads(form["pedido"])["pedido"]
        except (KeyError, TypeError, ValueError) as error:
            raise Fault(3, "XML ou JSON mal formado") from error
        if wrong := list(what_is_wrong(document)):
            raise Fault(31, *wrong, at_record=True)
        id = self.new_id()
        self.orders[id] = Order(id, document, [document.get("situacao", "aberto")], now())
        self.put_aside(document, 1)
        self.webhooks.order_changed(self.orders[id], "inclusao_pedido")
        record = {"sequencia": "1", "status": "OK", "id": id, "numero": id}
        return {"registros": {"registro": record}}

    def get_order(self, form: Form) -> Json:
        order = found_by_id(self.orders, form)
        document = order.document
        goods = goods_of(document)
        shown = {
            "id": order.id,
            "numero": order.id,
            "numero_ecommerce": order.number,
            "situacao": LABELS[order.situation],
            "data_entrega": order.delivered_on,
            "id_nota_fiscal": order.invoice["id"] if order.invoice else "0",
            "total_produtos": f"{goods:.2f}",
            "total_pedido": f"{total_of(document):.2f}",
            "ecommerce": {
                "id": document.get("id_ecommerce", "0"),
                "numeroPedidoEcommerce": order.number,
            },
        }
        unsent = {"codigo_rastreamento": "", "url_rastreamento": "", "data_envio": ""}
        return {"pedido": {**document, **unsent, **order.shipping, **shown}}

    def change_situation(self, form: Form) -> Json:
        order = found_by_id(self.orders, form)
        if form.get("situacao") not in LABELS:
            raise Fault(31, "Situação inválida")
        self._move(order, form["situacao"])
        return {}

    def get_invoice(self, form: Form) -> Json:
        order, invoice = self._invoice(form)
        sold = {"id_venda": order.id, "numero_ecommerce": order.number}
        return {"nota_fiscal": {**invoice, **sold}}

    def get_invoice_link(self, form: Form) -> Json:
        return {"link_nfe": f"https://danfe.example.com/{self._invoice(form)[1]['id']}"}

    def _invoice(self, form: Form) -> tuple[Order, Json]:
        for order in self.orders.values():
            if order.invoice and order.invoice["id"] == form.get("id"):
                return order, order.invoice
        raise Fault(32, "Nota fiscal não localizada")


SERVICES: dict[str, Callable[[Tiny, Form], Json]] = {
    "info.php": Tiny.info,
    "produtos.pesquisa.php": Tiny.search_products,
    "produto.obter.php": Tiny.get_product,
    "produto.obter.estoque.php": Tiny.get_stock,
    "produto.alterar.php": Tiny.change_products,
    "lista.atualizacoes.produtos": Tiny.list_product_updates,
    "lista.atualizacoes.estoque": Tiny.list_stock_updates,
    "pedidos.pesquisa.php": Tiny.search_orders,
    "pedido.incluir.php": Tiny.include_order,
    "pedido.obter.php": Tiny.get_order,
    "pedido.alterar.situacao": Tiny.change_situation,
    "nota.fiscal.obter.php": Tiny.get_invoice,
    "nota.fiscal.obter.link.php": Tiny.get_invoice_link,
}
