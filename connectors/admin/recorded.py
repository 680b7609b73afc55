"""The base of every admin page of ours: what is done on it goes into the record of acts."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import PROTECT, IntegerField, Model, QuerySet
from django.forms import (
    BaseForm,
    BaseModelForm,
    ModelMultipleChoiceField,
    MultipleHiddenInput,
    PasswordInput,
)
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from connectors.acts import Changes, differences, is_secret, record_act, shown_in
from connectors.admin.operators import operator_of
from connectors.admin.paging import PER_PAGE, CappedPaginator
from connectors.forms import WholeField, show_what_was
from connectors.models import Activation
from connectors.store_field import IdSelect, IdSelectMultiple

TYPED = "tomada.typed"  # of the request's META: what the form that is being saved changes


class _ChosenBefore(MultipleHiddenInput):
    """Django's own sends nothing along where nothing was chosen, as if no page had been shown."""

    def format_value(self, value: Any) -> Any:
        return super().format_value(value) or [""]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return list(filter(None, super().value_from_datadict(data, files, name) or []))


class _OnlyWhatWasTyped(BaseModelForm):
    """Somebody may save the row while its page is open: whoever saves the old page after him writes
    only what he typed into it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        show_what_was(self)
        for field in self.fields.values():
            if isinstance(field, ModelMultipleChoiceField):
                field.hidden_widget = _ChosenBefore

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            # Its widget knows under which names: a moment comes as a day and a time.
            before = self.data, self.files, self.add_initial_prefix(name)
            was_shown = field.disabled or not field.hidden_widget().value_omitted_from_data(*before)
            if was_shown and name not in self.changed_data and self.instance.pk is not None:
                cleaned.pop(name, None)
        return cleaned


class RecordedAdmin(ModelAdmin):
    """Whatever Django writes into an object's own history is written down with its store, and with
    what it was before and after: of a form what was typed, of an action what it changed in the row
    since the page read it."""

    paginator: Any = CappedPaginator
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    show_full_result_count = False
    # No index has most columns in order: who looks for something filters or searches.
    sortable_by: Any = ()
    # What the list says when there is nothing in it: what would be here, and what to do next.
    when_empty: Any = ""
    # Why a row that others need is not deleted, and what to do instead.
    when_needed: Any = ""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Of others that need a row, Django reads and lists all, and says that it is the person who
        may not delete those. Whoever comes here may delete the row itself."""
        kept: tuple[Any, Any, Any, Any] = [], {}, set(), [self.when_needed]
        for relation in self.model._meta.get_fields(include_hidden=True):
            if getattr(relation, "on_delete", None) is PROTECT:
                others = relation.related_model._base_manager
                if others.filter(**{f"{relation.field.name}__in": objs}).exists():
                    return kept
        rows, counts, forbidden, needed = super().get_deleted_objects(objs, request)
        return kept if forbidden or needed else (rows, counts, forbidden, needed)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            select = IdSelectMultiple if db_field.many_to_many else IdSelect
            kwargs["widget"] = select(db_field, self.admin_site)
        if isinstance(db_field, IntegerField):
            kwargs["form_class"] = WholeField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)
        return type(form.__name__, (_OnlyWhatWasTyped, form), {})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The row's other columns are the portal's, which may be writing them."""
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=columns & form.cleaned_data.keys() if change else None)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Saved twice at once, the second is only refused by the database; asked again, its form
        finds what the first wrote, and says so."""
        asked = request, object_id, form_url, extra_context
        try:
            response: HttpResponse = super().changeform_view(*asked)
        except IntegrityError:
            response = super().changeform_view(*asked)
        return response

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        request.META[TYPED] = typed(form)
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_addition(request, obj, message)
        self.record(request, obj, _("Criado."), request.META.pop(TYPED, {}))
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        changes = request.META.pop(TYPED, None)
        if changes is None:
            now = type(obj)._default_manager.filter(pk=obj.pk).first()
            changes = differences(obj, now) if now else {}
        self.record(request, obj, entry.get_change_message(), changes)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows = list(queryset)
        entries = super().log_deletions(request, queryset)
        for row in rows:
            self.record(request, row, _("Apagado."), {})
        return entries

    def do_and_record(
        self, request: HttpRequest, activations: QuerySet[Any], what: Any, do: Callable[[], int]
    ) -> int:
        """How many were done; of each of these integrations' ids, which are those that it is done
        to, it is recorded, or nothing is done."""
        with transaction.atomic():
            whose = list(Activation.objects.filter(pk__in=activations))
            if count := do():
                for activation in whose:
                    self.record(request, activation, str(what), {})
        return count

    def record(self, request: HttpRequest, row: Model, what: str, changes: Changes) -> None:
        address = request.META.get("REMOTE_ADDR", "")
        record_act(operator_of(request), row, str(what), changes, address)


def typed(form: BaseForm) -> Changes:
    """Of the fields that were changed, what they showed and what was typed; never a secret."""
    changes = {}
    for name in form.changed_data:
        field = form.fields[name]
        if is_secret(name) or isinstance(field.widget, PasswordInput):
            before, after = "", "•••"
        else:
            before = shown_in(field, form.get_initial_for_field(field, name))
            after = shown_in(field, form.cleaned_data.get(name))
        changes[capfirst(str(field.label or name))] = [before, after]
    return changes
