"""One integration as its merchant sees it: how each flow stands, and what of it is his to set."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from connectors.acts import record_act, shown_in
from connectors.errors import ConnectorError, Refused
from connectors.forms import WholeField, keep_what_is, setting_field, show_what_was
from connectors.ids import to_id
from connectors.models import Activation, Failure, Freshness, Run, State
from connectors.runs.cadence import LEAST, MOST, minutes_of, set_intervals, settable_flows
from connectors.runs.dispatch import make_due
from connectors.services import change_settings
from connectors.spec import Mode, Scope, Setting
from connectors.trouble.causes import CAUSES, OTHER
from orders.mails import OCCASIONS
from orders.models import Order
from portal.pages.own import OwnStores

# The admin's own widgets carry its theme's classes.
PLAIN: dict[type[forms.Field], type[forms.Widget]] = {
    forms.BooleanField: forms.CheckboxInput,
    forms.IntegerField: forms.NumberInput,
    forms.URLField: forms.URLInput,
}
FAILURES_SHOWN = 20
MAIL_KEYS = {key for each in OCCASIONS.values() for key in (each.switch, each.text)}


class SettingsForm(forms.Form):
    def __init__(
        self, settings: list[Setting], known: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for setting in settings:
            field = setting_field(setting)
            field.initial = known.get(setting.key, setting.default)
            is_long = isinstance(field.widget, forms.Textarea)
            if isinstance(field, forms.ChoiceField):
                field.widget = forms.Select(choices=list(setting.choices))
            else:
                kinds = (w for kind, w in PLAIN.items() if isinstance(field, kind))
                field.widget = next(kinds, forms.Textarea if is_long else forms.TextInput)()
            self.fields[setting.key] = field
        show_what_was(self)

    def clean(self) -> dict[str, Any]:
        keep_what_is(self)
        return self.cleaned_data


class CadenceForm(forms.Form):
    """How often each flow runs, where the specification lets the client say so."""

    prefix = "every"

    def __init__(self, activation: Activation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for ability, flow in settable_flows(activation).items():
            self.fields[ability] = WholeField(
                label=_("%(flow)s: intervalo em minutos") % {"flow": flow.get_flow_display()},
                min_value=LEAST,
                max_value=MOST,
                initial=minutes_of(flow),
            )
        show_what_was(self)

    def clean(self) -> dict[str, Any]:
        keep_what_is(self)
        return self.cleaned_data


class IntegrationPage(OwnStores, TemplateView):
    def get_template_names(self) -> list[str]:
        part = "HX-Request" in self.request.headers
        return ["pages/integration_flows.html" if part else "pages/integration.html"]

    @cached_property
    def activation(self) -> Activation:
        mine = Activation.objects.filter(store__in=list(self.stores)).consuming()
        return get_object_or_404(mine.select_related("store", "connector"), pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        activation, (mine, internal) = self.activation, self._settings()
        flows, failures = self._flows(), self._failures()
        kwargs.setdefault("settings_form", SettingsForm(mine, activation.settings))
        kwargs.setdefault("cadence_form", CadenceForm(activation))
        return {
            **super().get_context_data(**kwargs),
            "section": "integrations",
            "activation": activation,
            "flows": flows,
            "failures": failures[:FAILURES_SHOWN],
            "more_failures": len(failures) > FAILURES_SHOWN,
            "at_work": any(each["is_going"] for each in flows),
            "can_start": self._can_start(),
            "internal": internal,
            "writes_mails": any(s.key in MAIL_KEYS for s in activation.spec.settings),
        }

    def _can_start(self) -> bool:
        return self.activation.mode == Mode.MANAGED and self.activation.state == State.ACTIVE

    def _settings(self) -> tuple[list[Setting], list[Setting]]:
        """The merchant's own, and those of which he only sees that they exist."""
        every = self.activation.spec.settings_in(self.activation.mode)
        mine = [s for s in every if s.scope == Scope.MERCHANT and s.key not in MAIL_KEYS]
        return mine, [s for s in every if s.scope == Scope.INTERNAL]

    def _flows(self) -> list[dict[str, Any]]:
        flows = self.activation.flows.with_freshness(timezone.now()).order_by("pk")
        runs = {run.ability: run for run in self._latest_runs()}
        return [
            {
                "flow": flow,
                "freshness": Freshness(flow.freshness),
                "run": runs.get(flow.ability),
                "is_going": self._can_start() and self._is_going(flow, runs.get(flow.ability)),
                "last_at": flow.last_success_at or flow.last_call_at,
            }
            for flow in flows
        ]

    def _failures(self) -> list[dict[str, Any]]:
        """The latest, and one more where there are others. An order's has a page of ours."""
        activation = self.activation
        found = Failure.objects.open().filter(activation=activation).without_content()
        failures = list(found.order_by("-last_at", "-pk")[: FAILURES_SHOWN + 1])
        ids = {failure.record_id for failure in failures}
        orders = Order.objects.filter(store=activation.store_id, public_id__in=ids)
        known = set(orders.values_list("public_id", flat=True))
        return [
            {
                "failure": failure,
                "order": failure.record_id if failure.record_id in known else "",
                "cause": CAUSES.get(failure.cause, CAUSES[OTHER]),
            }
            for failure in failures
        ]

    def _latest_runs(self) -> list[Run]:
        latest = Run.objects.filter(activation=self.activation).order_by("ability", "-pk")
        newest: dict[str, Run] = {}
        for run in latest.filter(
            ability__in=self.activation.flows.values("ability"),
            pk__gte=(self._recent() or 0),
        ):
            newest.setdefault(run.ability, run)
        return list(newest.values())

    def _recent(self) -> int | None:
        """Where the latest runs begin: a busy integration has a million of them."""
        recent = Run.objects.filter(activation=self.activation).order_by("-pk")
        return min(recent.values_list("pk", flat=True)[:200], default=None)

    def _is_going(self, flow: Any, run: Run | None) -> bool:
        waits = flow.slot_at is not None or flow.due_at <= timezone.now()
        return waits or (run is not None and run.ended_at is None)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        say = request.POST.get("say")
        if say == "cadence":
            return self._set_cadence(request)
        if say == "settings":
            return self._change_settings(request)
        self._start(request)
        return redirect("integration", pk)

    def _start(self, request: HttpRequest) -> None:
        flows = self.activation.flows.filter(pk=to_id(request.POST.get("flow", "")) or 0)
        with transaction.atomic():
            started = make_due(flows) if self._can_start() else 0
            if started:
                record_act(self.merchant, self.activation, _("Sincronização pedida pelo lojista."))
        if started:
            messages.success(request, _("Começa em até um minuto; acompanhe aqui."))
        else:
            messages.info(request, _("Este fluxo não é o portal que inicia."))

    def _set_cadence(self, request: HttpRequest) -> HttpResponse:
        form = CadenceForm(self.activation, request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(cadence_form=form))
        try:
            with transaction.atomic():
                set_intervals(self.activation.pk, form.cleaned_data)
                self._record(_("Intervalos definidos pelo lojista."), form)
        except (Refused, ConnectorError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Intervalos salvos."))
        return redirect("integration", self.activation.pk)

    def _change_settings(self, request: HttpRequest) -> HttpResponse:
        activation, (mine, _internal) = self.activation, self._settings()
        form = SettingsForm(mine, activation.settings, request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(settings_form=form))
        with transaction.atomic():
            change_settings(activation.pk, None, None, form.cleaned_data)
            self._record(_("Configurações alteradas pelo lojista."), form)
        messages.success(request, _("Configurações salvas."))
        return redirect("integration", activation.pk)

    def _record(self, what: str, form: forms.Form) -> None:
        """Of each field that was changed, what it said before and what it says now."""
        changes = {
            str(field.label): [
                shown_in(field, field.initial), shown_in(field, form.cleaned_data[name])
            ]
            for name, field in form.fields.items()
            if name in form.changed_data
        }  # fmt: skip
        if changes:
            record_act(self.merchant, self.activation, what, changes)
