"""What the rows of a De/Para spreadsheet do, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from catalog.mappings import replace_mappings
from catalog.models import SkuMapping, Spreadsheet
from catalog.spreadsheets.lines import Line, Outcome, earlier_rows
from connectors.bulk import among
from connectors.errors import Refused
from connectors.models import Activation


@dataclass
class Work:
    codes: dict[str, int] = field(default_factory=dict)  # the product that each is to mean
    replaced: set[int] = field(default_factory=set)  # mappings that make room


class MappingRows:
    def __init__(self, spreadsheet: Spreadsheet, *, writes: bool) -> None:
        if spreadsheet.activation is None:
            raise Refused(_("Escolha a integração."))
        self.spreadsheet, self.store = spreadsheet, spreadsheet.store
        self.activation = spreadsheet.activation.current

    def keys_of(self, line: Line) -> tuple[str, str]:
        return line.values.get("code", ""), line.values.get("sku", "")

    def judge(self, lines: Sequence[Line]) -> Work:
        work = Work()
        good = [line for line in lines if not line.is_refused]
        skus, codes = ({line.values[name] for line in good} for name in ("sku", "code"))
        products = dict(self.store.products.filter(sku__in=among(skus)).values_list("sku", "pk"))
        mine = SkuMapping.objects.filter(activation=self.activation).select_related("product")
        by_code = {each.code: each for each in mine.filter(code__in=among(codes))}
        by_product = {
            each.product_id: each for each in mine.filter(product__in=among(products.values()))
        }
        first = lines[0].number if lines else 0
        above = self.spreadsheet.lines.filter(second_key__in=skus, number__lt=first)
        above = above.exclude(outcome=Outcome.REFUSED)
        used = dict(above.values_list("second_key", "number"))
        earlier = earlier_rows(self.spreadsheet, good, ("code",))
        seen = {code: row.number for code, row in earlier.items()}
        for line in good:
            code, sku = line.values["code"], line.values["sku"]
            product_id = products.get(sku)
            if code in seen:
                line.refuse(_("Código: já está na linha %d.") % seen[code])
            elif sku in used:
                line.refuse(_("SKU: já está na linha %d.") % used[sku])
            elif product_id is None:
                line.refuse(_("SKU: a loja não tem %s.") % sku)
            else:
                seen[code] = used[sku] = line.number
                self._judge(line, product_id, by_code.get(code), by_product.get(product_id), work)
        return work

    def _judge(
        self,
        line: Line,
        product_id: int,
        of_code: SkuMapping | None,
        of_product: SkuMapping | None,
        work: Work,
    ) -> None:
        code = line.values["code"]
        if of_code and of_code.product_id == product_id:
            return
        line.outcome = Outcome.UPDATE if of_code or of_product else Outcome.CREATE
        if of_code:
            line.reasons.append(_("O código era do SKU %s.") % of_code.product.sku)
        if of_product:
            line.reasons.append(_("O SKU tinha o código %s.") % of_product.code)
        work.codes[code] = product_id
        for old in filter(None, (of_code, of_product)):
            work.replaced.add(old.pk)

    def write(self, lines: Sequence[Line]) -> None:
        """In the caller's transaction, and under its lock of the store."""
        # It may have moved since the sheet was read.
        named = Activation.objects.select_related("store", "moved_to__store")
        self.activation = named.get(pk=self.activation.pk).current
        work = self.judge(lines)
        replace_mappings(self.activation, work.replaced, work.codes)
