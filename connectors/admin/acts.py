"""What people did: searched by store, person, period and object."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.utils import parse_datetime_str

from connectors.admin.columns import NARROW, moment_of, short, text_of
from connectors.admin.readonly import ReadOnlyAdmin
from connectors.models import Act
from connectors.store_field import RowFilter


class Period(RangeDateTimeFilter):
    """The theme's own takes what was typed for a time of no zone. Without an hour it is the whole
    day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Act]) -> QuerySet[Act]:
        for end, lookup, hour in (("from", "gte", "00:00:00"), ("to", "lte", "23:59:59")):
            day, time = (self.used_parameters.get(f"at_{end}_{n}") for n in (0, 1))
            moment = parse_datetime_str(f"{day} {time or hour}") if day else None
            if moment and 2000 <= moment.year < 2100:  # any that a clock of ours can show
                queryset = queryset.filter(**{f"at__{lookup}": timezone.make_aware(moment)})
        return queryset


@admin.register(Act)
class ActAdmin(ReadOnlyAdmin):
    list_display = (
        "shown_at", "by", "shown_store", "shown_object", "shown_what", "first_changes",
    )  # fmt: skip
    when_empty = _(
        "Nada registrado ainda: tudo o que uma pessoa faz no portal fica aqui, com o antes e o"
        " depois. Ative ou altere alguma coisa e ela aparece."
    )
    list_filter = (
        ("store", RowFilter),
        ("by", RowFilter),
        ("at", Period),
        "model",
    )  # fmt: skip
    list_filter_submit = True
    list_select_related = ("by", "store")
    search_fields = ("object_text", "what", "object_id")
    fields = ("at", "by", "address", "store", "model", "object_text", "what", "shown_changes")
    readonly_fields = fields
    shown_at = moment_of(Act, "at")
    shown_store = text_of(Act, "store", NARROW)
    shown_object = text_of(Act, "object_text", NARROW)
    shown_what = text_of(Act, "what", "9rem")

    @display(description=_("antes e depois"))
    def first_changes(self, act: Act) -> SafeString | None:
        changes = [
            f"{name}: {before or '–'} → {after or '–'}"
            for name, (before, after) in act.changes.items()
        ]
        return short("; ".join(changes), NARROW) if changes else None

    @display(description=_("antes e depois"))
    def shown_changes(self, act: Act) -> str:
        rows = (
            (name, before or "–", after or "–") for name, (before, after) in act.changes.items()
        )
        return format_html_join("", "<div>{}: {} → {}</div>", rows)
