"""One order: what became of it, what happens next, and what its merchant has to say."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import DetailView

from connectors.acts import with_acts
from connectors.errors import NothingChanged, Refused
from connectors.fiscal import punctuated
from connectors.hub.wire import INVOICE_FIELDS, TRACKING_FIELDS
from connectors.ids import to_id
from connectors.models import Failure
from orders.buyers import buyer_url, revoke_links
from orders.carriers import tracking_link
from orders.finding import DOCUMENTS
from orders.invoice_keys import doubles_of, faults_of
from orders.invoicing import inform_invoice, takes_invoice
from orders.mails import send_again
from orders.models import BuyerMail, Order, OrderLink, OrderQuerySet, Payment, Shipment
from orders.outlook import outlook
from orders.tracking import inform_tracking, takes_tracking
from portal.pages.merchant_forms import InvoiceForm, TrackingForm, invoice_known, tracking_known
from portal.pages.own import Live, OwnOrders

ADDRESS = (
    "address", "address_number", "address_complement", "neighborhood", "city", "state", "zipcode",
)  # fmt: skip
# What is known to be sent (pluggto-api.md, section 6.7); everything else is shown as it came.
PAYMENT_WAYS = {
    "credit": gettext_lazy("Cartão de crédito"),
    "credit_card": gettext_lazy("Cartão de crédito"),
    "debit": gettext_lazy("Cartão de débito"),
    "ticket": gettext_lazy("Boleto"),
    "boleto": gettext_lazy("Boleto"),
    "pix": "Pix",
    "transfer": gettext_lazy("Transferência"),
    "voucher": gettext_lazy("Vale"),
}


class OrderPage(Live, OwnOrders, DetailView):
    template_name = "pages/order.html"
    slug_field = slug_url_kwarg = "public_id"
    context_object_name = "order"

    def get_queryset(self) -> OrderQuerySet:
        return super().get_queryset().with_everything()

    def version(self) -> str:
        """Of all that the page shows and that changes by itself."""
        mine = OwnOrders.get_queryset(self).filter(public_id=self.kwargs["public_id"]).order_by()
        found = mine.annotate(
            step=Max("status_changes"),
            untold=Count("links", filter=Q(links__in=OrderLink.objects.stale()), distinct=True),
            mails_written=Count("mails", distinct=True),
            mails_sent=Count("mails", filter=Q(mails__state=BuyerMail.State.SENT), distinct=True),
        ).values_list("modified_at", "step", "untold", "mails_written", "mails_sent")
        known = found.first()
        return "-".join(map(str, known)) if known else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        order: Order = self.object
        types_tracking, types_invoice = takes_tracking(order), takes_invoice(order)
        if types_tracking:
            kwargs.setdefault("tracking_form", TrackingForm(order, initial=tracking_known(order)))
        if types_invoice:
            kwargs.setdefault("invoice_form", InvoiceForm(order, initial=invoice_known(order)))
        failures = {each.activation_id: each for each in self._failures()}
        mails = list(order.mails.all())
        return {
            **super().get_context_data(**kwargs),
            "section": "orders",
            "deliveries": [
                _delivery(order, each) for each in order.shipments.all() if _says_much(each)
            ],
            "outlook": outlook(
                order,
                failures.values(),
                types_invoice=types_invoice,
                types_tracking=types_tracking,
            ),
            "integrations": [
                (link, failures.get(link.activation_id)) for link in order.links.all()
            ],
            "sums": _sums(order),
            "payments": [_payment(each) for each in order.payments.all()],
            "people": [_person(order, who) for who in ("payer", "receiver")],
            "mails": with_acts(mails),
            "acts": with_acts([order])[0][1],
            "buyer_url": buyer_url(order),
        }

    def _failures(self) -> Any:
        return Failure.objects.open().filter(
            activation__store=self.object.store_id, record_id=self.object.public_id
        )

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """What the merchant says, by the button that he pressed."""
        self.object = self.get_object()
        match request.POST.get("say"):
            case "invoice":
                return self._invoice()
            case "revoke":
                revoke_links(self.object.pk, self.merchant)
                messages.success(request, _("Os links deste pedido não valem mais."))
            case "mail":
                self._mail()
            case _:
                return self._tracking()
        return redirect("order", public_id)

    def _tracking(self) -> HttpResponse:
        form = TrackingForm(self.object, self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(tracking_form=form))
        return self._done(
            lambda by: inform_tracking(self.object.pk, form.record(), by),
            _("Rastreio informado; o canal será avisado."),
            _("Nada mudou: este rastreio já estava aqui."),
        )

    def _invoice(self) -> HttpResponse:
        form = InvoiceForm(self.object, self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(invoice_form=form))
        return self._done(
            lambda by: inform_invoice(self.object.pk, form.record(), by),
            _("Nota fiscal informada; o canal será avisado."),
            _("Nada mudou: esta nota já estava aqui."),
        )

    def _done(self, write: Any, done: str, known: str) -> HttpResponse:
        try:
            write(self.merchant)
        except NothingChanged:
            messages.info(self.request, known)
        except Refused as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, done)
        return redirect("order", self.object.public_id)

    def _mail(self) -> None:
        mail = self.object.mails.filter(pk=to_id(self.request.POST.get("mail", "")) or 0).first()
        try:
            send_again(mail.pk if mail else 0, self.merchant)
        except Refused as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, _("O e-mail sairá de novo em instantes."))


def _says_much(shipment: Shipment) -> bool:
    """A channel's own empty shipment is only a place for what is to come."""
    return any(getattr(shipment, name) for name in (*INVOICE_FIELDS, *TRACKING_FIELDS))


def _delivery(order: Order, shipment: Shipment) -> dict[str, Any]:
    link, key = shipment.nfe_link, shipment.nfe_key
    return {
        "shipment": shipment,
        "key_doubts": key and (faults_of(key) or doubles_of(key, order)),
        "tracking_link": tracking_link(shipment),
        "invoice_link": link if link.startswith(("https://", "http://")) else "",
    }


def _sums(order: Order) -> list[tuple[str, Decimal]]:
    """Beside the items, what the total is made up of. With many channels the tax is in the prices
    already; what nobody named has a line of its own."""
    names = ("shipping", "tax", "discount")
    shipping, tax, discount = (order.amount(name) or Decimal(0) for name in names)
    lines = order.lines.all()
    rest = order.total - sum((each.amount for each in lines), shipping - discount)
    # Where a price was not said, nobody can say what is missing, or where the tax is.
    is_known = bool(lines) and all(each.price is not None for each in lines)
    is_within = is_known and bool(round(rest - tax, 2))
    sums = [
        (_("Frete"), shipping),
        (_("Impostos, já nos valores") if is_within else _("Impostos"), tax),
        (_("Desconto"), discount),
    ]
    if is_within:
        sums.append((_("Outros acréscimos") if rest > 0 else _("Outros descontos"), abs(rest)))
    return [(label, amount) for label, amount in sums if round(amount, 2)]


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "way": PAYMENT_WAYS.get(payment.payment_type.lower(), payment.payment_type),
        "installments": payment.fields.get("payment_installments"),
        "total": payment.payment_total,
    }


def _person(order: Order, who: str) -> dict[str, Any]:
    def value(name: str) -> str:
        return str(order.fields.get(f"{who}_{name}") or "").strip()

    phone = " ".join(filter(None, (value("phone_area"), value("phone"))))
    documents = [punctuated(value(name)) for name in DOCUMENTS if value(name)]
    return {
        "is_payer": who == "payer",
        "name": " ".join(filter(None, (value("name"), value("lastname")))),
        # A company's buyer may have his own as well; the invoice needs the company's.
        "document": " · ".join(dict.fromkeys(documents)),
        "email": value("email"),
        "phone": phone,
        "address": ", ".join(filter(None, map(value, ADDRESS))),
    }
