"""Spreadsheets: send one, see what it would do, confirm, and follow it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import DetailView, FormView, View

from catalog.models import Spreadsheet
from catalog.spreadsheets.columns import columns_of, refused_rows, template
from catalog.spreadsheets.files import MOST_BYTES, MOST_ROWS
from catalog.spreadsheets.jobs import cancel, confirm, counts_of, upload
from connectors.acts import record_act
from connectors.downloads import XLSX, as_csv, as_xlsx, saved_as
from connectors.errors import Refused
from connectors.ids import to_id
from connectors.models import Activation, Store
from portal.pages.own import OwnStoreForm, OwnStores

SHOWN = 20
ROWS_SHOWN = 100


class OwnSpreadsheets(OwnStores):
    def get_queryset(self) -> Any:
        mine = Spreadsheet.objects.filter(store__in=list(self.stores)).defer("content")
        return mine.select_related("store", "activation__connector", "created_by")


class UploadForm(OwnStoreForm):
    field_order = ("kind",)
    kind = forms.ChoiceField(label=gettext_lazy("O que há nela"), choices=Spreadsheet.Kind.choices)
    activation = forms.ModelChoiceField(
        Activation.objects.none(),
        label=gettext_lazy("Integração"),
        required=False,
        help_text=gettext_lazy("Só para De/Para: de quem são os códigos."),
    )
    file = forms.FileField(
        label=gettext_lazy("Arquivo"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        help_text=gettext_lazy("XLSX ou CSV, até 20 MB e 100.000 linhas."),
        error_messages={"empty": gettext_lazy("O arquivo está vazio.")},
    )

    def __init__(self, stores: dict[int, Store], *args: Any, **kwargs: Any) -> None:
        super().__init__(stores, *args, **kwargs)
        going_on = Activation.objects.filter(store__in=list(stores)).consuming()
        self.fields["activation"].queryset = going_on.select_related("store")  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("O arquivo tem mais de %d MB.") % (MOST_BYTES // 2**20))
        return file

    def send(self, by: User) -> Spreadsheet:
        typed = self.cleaned_data
        kind = Spreadsheet.Kind(typed["kind"])
        of_codes = kind == Spreadsheet.Kind.MAPPINGS
        activation = typed["activation"] if of_codes else None
        file = typed["file"]
        return upload(typed["store"], kind, file.name, file.read(), by, activation)


class SpreadsheetsPage(OwnSpreadsheets, FormView):
    template_name = "pages/spreadsheets.html"
    form_class = UploadForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "stores": self.stores}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "section": "spreadsheets",
            "spreadsheets": self.get_queryset()[:SHOWN],
            "kinds": Spreadsheet.Kind.choices,
            "columns": columns_of(Spreadsheet.Kind.PRODUCTS),
            "most_rows": MOST_ROWS,
        }

    def form_valid(self, form: UploadForm) -> HttpResponse:
        try:
            spreadsheet = form.send(self.merchant)
        except Refused as error:
            form.add_error("file", str(error))
            return self.form_invalid(form)
        return redirect("spreadsheet", spreadsheet.public_id)


class TemplateFile(OwnStores, View):
    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        if kind not in Spreadsheet.Kind.values:
            raise Http404
        headers = saved_as(f"modelo-{kind}.xlsx")
        return HttpResponse(template(kind), content_type=XLSX, headers=headers)


class SpreadsheetPage(OwnSpreadsheets, DetailView):
    slug_field = slug_url_kwarg = "public_id"
    context_object_name = "spreadsheet"

    def get_template_names(self) -> list[str]:
        """What polls is answered with the part that changes."""
        part = "HX-Request" in self.request.headers
        return ["pages/spreadsheet_state.html" if part else "pages/spreadsheet.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        spreadsheet = self.object
        counts = counts_of(spreadsheet)
        only = self.request.GET.get("only", "")
        lines = spreadsheet.lines.order_by("number")
        if only in counts:
            lines = lines.filter(outcome=only)
        after = to_id(self.request.GET.get("after", "")) or 0
        page = list(lines.filter(number__gt=after)[: ROWS_SHOWN + 1])
        last = max(spreadsheet.read_to, 1)
        return {
            **super().get_context_data(**kwargs),
            "section": "spreadsheets",
            "counts": [
                (value, label, counts[value])
                for value, label in spreadsheet.lines.model.Outcome.choices
            ],
            "refused": counts["refused"],
            "writes": counts["create"] + counts["update"],
            "lines": page[:ROWS_SHOWN],
            "more": page[ROWS_SHOWN - 1].number if len(page) > ROWS_SHOWN else None,
            "only": only,
            "at_work": spreadsheet.state in ("reading", "importing"),
            "percent": min(100, spreadsheet.done_to * 100 // last),
        }

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        spreadsheet = self.get_object()
        acts: dict[str, tuple[Callable[[int], bool], str]] = {
            "confirm": (confirm, _("Importação iniciada.")),
            "cancel": (cancel, _("Planilha descartada: nada foi alterado.")),
        }
        act, done = acts.get(request.POST.get("say", ""), (None, ""))
        with transaction.atomic():
            is_done = act is not None and act(spreadsheet.pk)
            if is_done:
                record_act(self.merchant, spreadsheet, done)
        if is_done:
            messages.success(request, done)
        else:
            messages.info(request, _("Nada a fazer: a planilha já seguiu adiante."))
        return redirect("spreadsheet", public_id)


class RefusedRows(OwnSpreadsheets, View):
    """The same spreadsheet with only the rows that were refused, and why."""

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        spreadsheet = get_object_or_404(self.get_queryset(), public_id=public_id)
        rows = refused_rows(spreadsheet)
        if spreadsheet.is_csv:
            return as_csv(rows, "recusadas.csv")
        return as_xlsx(rows, "recusadas.xlsx", "Planilha")
