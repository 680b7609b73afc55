"""A company's account at Olist ERP, formerly Tiny: its API v2 (platform-apis.md, section 3).

HTTP 200 for every outcome, numbers now as numbers and now as strings, labels where orders are
read and slugs where they are written: as the ERP does it. Its people invoice, send and deliver
approved orders, one step at each `work`.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from connectors.sandbox.invoices import ISSUER, make_key, now
from connectors.sandbox.server import Platform, Request, Response
from connectors.sandbox.tiny_answers import (
    DATE,
    DATE_TIME,
    Fault,
    Form,
    Json,
    found_by_id,
    paged,
    take_updates,
    updated_at,
)
from connectors.sandbox.tiny_orders import LABELS, STEPS, Order, goods_of, total_of, what_is_wrong

AUTHORISED = "6"  # an invoice's situation
# What a product has of which nobody has said anything.
UNSAID: Json = {
    "unidade": "UN", "origem": "0", "situacao": "A", "tipo": "P", "variacoes": [],
    "preco_promocional": 0, "preco_custo": 0, "preco_custo_medio": 0, "peso_liquido": 0,
    "peso_bruto": 0, "ncm": "", "cest": "", "gtin": "", "descricao_complementar": "", "obs": "",
    "garantia": "", "marca": "", "categoria": "", "idProdutoPai": "", "dias_preparacao": "",
}  # fmt: skip
ROW = (
    "id", "codigo", "nome", "preco", "preco_promocional", "preco_custo", "preco_custo_medio",
    "unidade", "gtin", "tipoVariacao", "situacao",
)  # fmt: skip


class Tiny(Platform):
    """Credentials: `token`."""

    def __init__(self, name: str, credentials: Mapping[str, str]) -> None:
        super().__init__(name, credentials)
        self.last_id = 710000000
        self.products: dict[str, Json] = {}  # by id, as `produto.obter` shows them
        self.stock: dict[str, Json] = {}  # by the product's id
        self.orders: dict[str, Order] = {}
        # What the lists of updates have not answered yet: when it changed, by product.
        self.product_updates: dict[str, datetime] = {}
        self.stock_updates: dict[str, datetime] = {}

    # -- What its people do ----------------------------------------------------------------------
    def control(self, verb: str, data: Mapping[str, Any]) -> Any:
        """put_product {codigo, nome, preco, …, saldo, variacoes: [{codigo, preco, grade, saldo}]}
        with any field of `produto.obter`, or in the hub's words {sku, name, price, quantity,
        variations}; set_price {codigo, preco, preco_promocional}; set_stock
        {codigo, saldo, saldoReservado, depositos}; set_situation {numero_ecommerce, situacao};
        report."""
        data = in_its_words(data)
        match verb:
            case "put_product":
                return self._put_product(data)
            case "set_price":
                product = self._by_code(data["codigo"])
                product.update(data)
                self.product_updates[product["idProdutoPai"] or product["id"]] = now()
                return {"id": product["id"]}
            case "set_stock":
                product = self._by_code(data["codigo"])
                self._put_stock(product["id"], data)
                return {"id": product["id"]}
            case "set_situation":
                order = next(
                    each for each in self.orders.values() if each.number == data["numero_ecommerce"]
                )
                self._move(order, data["situacao"])
                return {"id": order.id}
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
        }

    def work(self) -> None:
        for order in self.orders.values():
            if order.situation in STEPS:
                self._move(order, STEPS[order.situation])

    def _put_product(self, data: Mapping[str, Any]) -> Json:
        children = data.get("variacoes", [])
        fields = {name: value for name, value in data.items() if name != "saldo"}
        id = self._store_product({**fields, "tipoVariacao": "P" if children else "N"})
        shown = []
        for child in children:
            child_id = self._store_product(
                {
                    "nome": data["nome"],
                    "codigo": child["codigo"],
                    "preco": child["preco"],
                    "preco_promocional": child.get("preco_promocional", 0),
                    "tipoVariacao": "V",
                    "idProdutoPai": id,
                }
            )
            self._stock_at_first(child_id, child)
            shown.append((child_id, child["grade"]))
        self.products[id]["variacoes"] = shown
        if not children:
            self._stock_at_first(id, data)
        self.product_updates[id] = now()
        return {"id": id}

    def _store_product(self, fields: Json) -> str:
        """Under its code, with what was not said empty, as the ERP leaves it."""
        known = next(
            (id for id, each in self.products.items() if each["codigo"] == fields["codigo"]), None
        )
        id = known or self._new_id()
        self.products[id] = {**UNSAID, **fields, "id": id}
        return id

    def _stock_at_first(self, id: str, data: Mapping[str, Any]) -> None:
        if "saldo" in data or id not in self.stock:
            self._put_stock(id, data)

    def _put_stock(self, id: str, data: Mapping[str, Any]) -> None:
        quantity = data.get("saldo", 0)
        usual = [{"nome": "Geral", "desconsiderar": "N", "saldo": quantity, "empresa": self.name}]
        self.stock[id] = {
            "saldo": quantity,
            "saldoReservado": data.get("saldoReservado", 0),
            "depositos": [{"deposito": each} for each in data.get("depositos", usual)],
        }
        self.stock_updates[id] = now()

    def _move(self, order: Order, situation: str) -> None:
        """What a situation needs and the order does not have yet comes into being."""
        order.situations.append(situation)
        order.changed_at = now()
        if situation in ("faturado", "enviado", "entregue") and order.invoice is None:
            order.invoice = self._issue()
        if situation in ("enviado", "entregue") and not order.shipping:
            code = f"TN{crc32(f'{self.name}/{order.id}'.encode()) % 10**9:09}BR"
            order.shipping = {
                "nome_transportador": "Transportadora Exemplo",
                "forma_frete": "Expressa",
                "codigo_rastreamento": code,
                "url_rastreamento": f"https://rastreio.example.com/{code}",
                "data_envio": f"{now():{DATE}}",
            }
        if situation == "entregue":
            order.delivered_on = f"{now():{DATE}}"

    def _issue(self) -> Json:
        """An authorised NF-e."""
        number = 1 + sum(each.invoice is not None for each in self.orders.values())
        return {
            "id": self._new_id(),
            "numero": f"{number:06}",
            "serie": "1",
            "data_emissao": f"{now():{DATE}}",
            "situacao": AUTHORISED,
            "chave_acesso": make_key(self.name, number, now()),
        }

    def _by_code(self, code: str) -> Json:
        return next(each for each in self.products.values() if each["codigo"] == code)

    def _new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    # -- The API ---------------------------------------------------------------------------------
    def handle(self, request: Request) -> Response:
        serve = SERVICES.get("/".join(request.path))
        if request.method != "POST" or serve is None:
            return Response(b"<html>404</html>", 404)
        form = request.form()
        try:
            if not form.get("token"):
                raise Fault(1, "token não informado")
            if form["token"] != self.credentials["token"]:
                raise Fault(2, "token invalido")
            answer = {"status_processamento": "3", "status": "OK", **serve(self, form)}
        except Fault as fault:
            answer = fault.answer()
        return Response({"retorno": answer})

    def info(self, form: Form) -> Json:
        return {"conta": {"razao_social": f"{self.name} Ltda", "cnpj_cpf": ISSUER}}

    def search_products(self, form: Form) -> Json:
        """Variations are not among the rows."""
        if "pesquisa" not in form:
            raise Fault(10, "O parâmetro pesquisa é obrigatório")
        found = [
            {"produto": {name: each[name] for name in ROW}}
            for each in self.products.values()
            if each["tipoVariacao"] != "V"
            and form["pesquisa"].lower() in f"{each['codigo']} {each['nome']}".lower()
            and form.get("situacao", each["situacao"]) == each["situacao"]
        ]
        return paged("produtos", found, form)

    def get_product(self, form: Form) -> Json:
        product = found_by_id(self.products, form)
        children = [
            {
                "variacao": {
                    "id": id,
                    "codigo": self.products[id]["codigo"],
                    "preco": f"{Decimal(str(self.products[id]['preco'])):.10f}",
                    "grade": options,
                }
            }
            for id, options in product["variacoes"]
        ]
        return {"produto": {**product, "variacoes": children or ""}}

    def get_stock(self, form: Form) -> Json:
        return {"produto": self._stock_row(found_by_id(self.products, form)["id"])}

    def list_product_updates(self, form: Form) -> Json:
        def row(id: str, at: datetime) -> Json:
            product = self.products[id]
            return {
                "id": int(id),
                **{name: product[name] for name in ("codigo", "nome", "unidade")},
                "preco": str(product["preco"]),
                "data_alteracao": f"{at:{DATE_TIME}}",
            }

        return take_updates(self.product_updates, row, form)

    def list_stock_updates(self, form: Form) -> Json:
        def row(id: str, at: datetime) -> Json:
            kind = self.products[id]["tipoVariacao"]
            changed = {"tipo_variacao": kind, "data_alteracao": f"{at:{DATE_TIME}}"}
            return {**self._stock_row(id), **changed, "id": int(id)}

        return take_updates(self.stock_updates, row, form)

    def _stock_row(self, id: str) -> Json:
        product = self.products[id]
        named = {name: product[name] for name in ("id", "codigo", "nome", "unidade")}
        nothing = {"saldo": 0, "saldoReservado": 0, "depositos": []}
        return {**named, **self.stock.get(id, nothing)}

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
        id = self._new_id()
        self.orders[id] = Order(id, document, [document.get("situacao", "aberto")], now())
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
    "lista.atualizacoes.produtos": Tiny.list_product_updates,
    "lista.atualizacoes.estoque": Tiny.list_stock_updates,
    "pedidos.pesquisa.php": Tiny.search_orders,
    "pedido.incluir.php": Tiny.include_order,
    "pedido.obter.php": Tiny.get_order,
    "pedido.alterar.situacao": Tiny.change_situation,
    "nota.fiscal.obter.php": Tiny.get_invoice,
    "nota.fiscal.obter.link.php": Tiny.get_invoice_link,
}


def in_its_words(goods: Mapping[str, Any]) -> Json:
    """What every other platform of the sandbox calls sku, name, price and quantity."""
    words = {"sku": "codigo", "name": "nome", "price": "preco", "quantity": "saldo"}
    product = {words.get(name, name): value for name, value in goods.items()}
    if variations := product.pop("variations", None):
        product["classe_produto"] = "V"
        product["variacoes"] = [
            in_its_words(variation) | {"grade": {"Tamanho": variation["sku"][-1]}}
            for variation in variations
        ]
    return product
