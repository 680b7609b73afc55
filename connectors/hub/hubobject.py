from decimal import Decimal
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from connectors.errors import Refused
from connectors.hub.identifiers import new_public_id
from connectors.hub.wire import Kind, Table, decimal_text, moment_text
from connectors.payload import to_decimal, to_moment
from connectors.records import Document

ABSENT = object()
# Not the field's own `unique`, which comes with a second index, for LIKE, that nobody asks.
PUBLIC_ID_ONCE = models.UniqueConstraint(fields=["public_id"], name="%(class)s_public_id_once")
CENT_OF_A_CENT = Decimal("0.0001")  # money has four decimals; the hub was seen to use three


class HubObject(models.Model):
    """A row that carries one object of the hub's JSON.

    What the portal reasons about has a column of the hub's name, listed in COLUMNS; everything
    else that arrived lies in `fields`, so that nothing known, and nothing unknown, is dropped.
    """

    TABLE: ClassVar[Table]
    COLUMNS: ClassVar[tuple[str, ...]]

    public_id = models.CharField(_("id"), max_length=24, default=new_public_id, editable=False)
    fields = models.JSONField(_("outros campos"), default=dict)

    class Meta:
        abstract = True

    def document(self) -> Document:
        """Columns and fields together, by the hub's names."""
        columns = {name: self._read_column(name) for name in self.COLUMNS}
        return {**self.fields, **columns, "id": self.public_id}

    def take(self, document: Document, path: str = "$") -> set[str]:
        """Set what the document says; the names of what that changed. Saves nothing.

        Raises `Refused` for a value that its column cannot hold, with its place; `path` is the
        document's.
        """
        news = self.news(document, path)
        for name, value in news.items():
            if name in self.COLUMNS:
                setattr(self, name, value)
            else:
                self.fields[name] = value
        return set(news)

    def news(self, document: Document, path: str = "$") -> Document:
        """What the document says and is not so. Raises what `take` raises."""
        news = {}
        for name, value in document.items():
            if name in self.COLUMNS:
                value = self._column_value(name, value, path)
                if value != getattr(self, name):
                    news[name] = value
            elif value != self.fields.get(name, self._absent(name)):
                news[name] = value
        return news

    def _absent(self, name: str) -> Any:
        """What a field that has no value is shown as; one that nobody knows is not shown."""
        if name not in self.TABLE:
            return ABSENT
        return [] if self.TABLE[name] is Kind.LIST else None

    def _read_column(self, name: str) -> Any:
        value = getattr(self, name)
        if value is None or value == "":
            return None
        kind = self.TABLE[name]
        if kind is Kind.MONEY:
            return decimal_text(value)
        return moment_text(value) if kind is Kind.MOMENT else value

    def _column_value(self, name: str, value: Any, path: str) -> Any:
        kind, column = self.TABLE[name], cast(models.Field, self._meta.get_field(name))
        if value is None:
            return None if column.null else column.get_default()
        if kind is Kind.MONEY:
            value = to_decimal(value).quantize(CENT_OF_A_CENT)
        elif kind is Kind.MOMENT:
            value = to_moment(value)
        try:
            column.run_validators(value)
        except ValidationError as error:
            raise Refused(f"{path}.{name}: {' '.join(error.messages)}") from error
        return value
