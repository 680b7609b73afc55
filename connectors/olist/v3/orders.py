"""Writing orders (platform-apis.md, section 5.5): what the API v2 would be sent, with the ERP's ids
in the place of names."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from connectors.errors import Rejected
from connectors.fiscal import compact
from connectors.hub.wire import as_number
from connectors.olist.mapping.orders import NO_INTEGRATOR, write_order
from connectors.olist.reader import still_sold
from connectors.olist.transport import DATE
from connectors.olist.v3.transport import Api
from connectors.olist.v3.words import NUMBERS
from connectors.payload import LOCAL, Payload
from connectors.records import OrderRecord
from connectors.trouble.causes import MISSING_DATA, SETTING

DELIVERY = {
    "endereco": "endereco",
    "numero": "enderecoNro",
    "complemento": "complemento",
    "bairro": "bairro",
    "cidade": "municipio",
    "cep": "cep",
    "uf": "uf",
    "fone": "fone",
    "nome_destinatario": "nomeDestinatario",
    "cpf_cnpj": "cpfCnpj",
    "tipo_pessoa": "tipoPessoa",
}
CONTACT = {"nome": "nome", "tipo_pessoa": "tipoPessoa", "cpf_cnpj": "cpfCnpj", "email": "email"}
CONTACT_ADDRESS = {
    **{name: name for name in ("endereco", "numero", "complemento", "bairro", "cep", "uf")},
    "cidade": "municipio",
}
TEXTS = {"obs": "observacoes", "obs_internas": "observacoesInternas"}
AMOUNTS = {
    "valor_frete": "valorFrete",
    "valor_desconto": "valorDesconto",
    "outras_despesas": "valorOutrasDespesas",
}
DATES = {"data_pedido": "data", "data_prevista": "dataPrevista"}

Words = dict[str, Any]


def write(order: OrderRecord, integrator_id: str, api: Api) -> Words:
    """The body of `POST /pedidos`. Looks up, or creates, what it must name by id. Raises `Rejected`
    where the ERP lacks something."""
    if integrator_id == NO_INTEGRATOR:
        # Without it the ERP drops our number, and the order would never be found again.
        raise Rejected(
            _(
                "Com a API v3 é preciso o identificador do integrador: sem ele o ERP perde o número"
                " do pedido."
            ),
            cause=SETTING,
        )
    written = write_order(order, integrator_id)["pedido"]
    body: Words = {
        "data": f"{datetime.now(LOCAL):%Y-%m-%d}",  # needed, and not every channel says when
        **{
            v3: datetime.strptime(written[v2], DATE).date().isoformat()
            for v2, v3 in DATES.items()
            if v2 in written
        },
        **_renamed(written, TEXTS),
        **{v3: as_number(written[v2]) for v2, v3 in AMOUNTS.items() if v2 in written},
        "situacao": NUMBERS[written["situacao"]],
        "ecommerce": {
            "id": _id(integrator_id),
            "numeroPedidoEcommerce": written["numero_pedido_ecommerce"],
        },
        "itens": [
            {
                "produto": {"id": _product(line.sku, api)},
                "quantidade": line.quantity,
                "valorUnitario": as_number(line.unit_price),
            }
            for line in order.lines
        ],
    }
    if delivery := written.get("endereco_entrega"):
        body["enderecoEntrega"] = _renamed(delivery, DELIVERY)
    if intermediary := written.get("intermediador"):
        body["intermediador"] = {"id": _intermediary(intermediary["cnpj"], api)}
    # Last: nothing is made there for an order that lacks something else.
    return {**body, "idContato": _contact(written["cliente"], api)}


def _contact(customer: Words, api: Api) -> int | str:
    document = customer.get("cpf_cnpj", "")
    if not document:  # without it each attempt would make another contact
        raise Rejected(
            _("O pedido não traz CPF nem CNPJ do comprador, e a API v3 do ERP precisa de um."),
            cause=MISSING_DATA,
        )
    found, _more = api.page("contatos", 1, cpfCnpj=document)
    for contact in found:
        if compact(contact.optional_text("cpfCnpj")) == document:
            return _id(contact.text("id"))
    body = {**_renamed(customer, CONTACT), "endereco": _renamed(customer, CONTACT_ADDRESS)}
    return _id(api.post("contatos", body).text("id"))


def _product(sku: str, api: Api) -> int | str:
    product = find_product(sku, api)
    if product is None:
        raise Rejected(_("O ERP não tem produto com o código %s.") % sku, cause=MISSING_DATA)
    return _id(product.text("id"))


def find_product(sku: str, api: Api) -> Payload | None:
    return still_sold(each for each in _found(sku, api) if each.optional_text("sku") == sku)


def _found(sku: str, api: Api) -> Iterator[Payload]:
    """The comparison may be loose: a short code is in many others."""
    page, more = 0, True
    while more:
        page += 1
        found, more = api.page("produtos", page, codigo=sku)
        yield from found


def _intermediary(cnpj: str, api: Api) -> int | str:
    found, _more = api.page("intermediadores", 1, cnpj=cnpj)
    for intermediary in found:
        if compact(intermediary.optional_text("cnpj")) == cnpj:
            return _id(intermediary.text("id"))
    raise Rejected(
        _("O intermediador de CNPJ %s não está cadastrado no ERP.") % cnpj, cause=MISSING_DATA
    )


def _id(text: str) -> int | str:
    """Its ids are numbers; whoever typed something else is told so by the ERP."""
    return int(text) if text.isascii() and text.isdigit() else text


def _renamed(written: Words, names: dict[str, str]) -> Words:
    return {v3: written[v2] for v2, v3 in names.items() if v2 in written}
