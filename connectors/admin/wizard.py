"""Activating in the admin: one page per step of what the specification declares."""

from typing import Any
from urllib.parse import urljoin

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from connectors.activating import (
    Overtaken,
    Stop,
    Way,
    begin,
    conclude,
    fill_in,
    hand_out,
    last_trial,
    note,
    way_of,
)
from connectors.admin.asking import page_of
from connectors.admin.credentials import show_link, show_once
from connectors.admin.operators import operator_of
from connectors.admin.steps import StartForm, StepForm
from connectors.errors import Refused
from connectors.handover import offer_handover
from connectors.ids import to_id
from connectors.messages.doorbells import doorbell_secret
from connectors.models import Activation, Connector, State
from connectors.models.activations import OVER
from connectors.spec import Does, Mode
from connectors.trial import ask_trial

PAGES = "admin/connectors/activation"


def way_url(activation: Activation) -> str:
    """Where its activation goes on."""
    return reverse("admin:connectors_activation_way", args=[activation.pk])


def step_url(activation: Activation, stop: Stop) -> str:
    return reverse("admin:connectors_activation_step", args=[activation.pk, stop.step.key])


class WizardPages(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/way/", view(self.way_view), name="connectors_activation_way"),
            path(
                "<int:pk>/way/<slug:key>/", view(self.step_view), name="connectors_activation_step"
            ),
            *super().get_urls(),
        ]

    # -- Beginning -------------------------------------------------------------------------------

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """For which store; from then on the draft is in the database."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if "connector" not in request.GET:
            return HttpResponseRedirect(reverse("admin:connectors_connector_apps"))
        connector = get_object_or_404(Connector, slug=request.GET["connector"])
        initial = {"store": to_id(request.GET.get("store", ""))}
        form = StartForm(connector, request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                with transaction.atomic():
                    activation, new = begin(
                        data["store"],
                        connector,
                        Mode(data["mode"]),
                        operator_of(request),
                        data["submission"],
                    )
                    if new:
                        self.log_addition(request, activation, [{"added": {}}])
                return HttpResponseRedirect(way_url(activation))
            except Refused as error:
                form.add_error(None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ativar %(connector)s") % {"connector": connector.name},
            "opts": self.opts,
            "connector": connector,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, f"{PAGES}/start.html", context)

    # -- Going on --------------------------------------------------------------------------------

    def way_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        activation = self._activation(request, pk)
        way = way_of(activation)
        if way.reached is None:
            return HttpResponseRedirect(page_of(activation))
        return HttpResponseRedirect(step_url(activation, way.reached))

    def step_view(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        activation = self._activation(request, pk)
        way = way_of(activation)
        stop = way.stop(key)
        if stop is None:
            raise Http404
        if not way.is_open(stop) or activation.state in OVER:
            return HttpResponseRedirect(way_url(activation))
        form = None
        if stop.step.does is Does.FILL_IN:
            form = StepForm(activation, stop, request.POST or None)
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                return self._take(request, way, stop, form)
            except Refused as error:
                if form is None or isinstance(error, Overtaken):
                    messages.error(request, str(error))
                    return HttpResponseRedirect(request.path)
                form.add_error(None, str(error))
        return self._show(request, way, stop, form)

    def _activation(self, request: HttpRequest, pk: int) -> Activation:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return get_object_or_404(
            Activation.objects.select_related("connector", "store", "endpoint"), pk=pk
        )

    def _take(
        self, request: HttpRequest, way: Way, stop: Stop, form: StepForm | None
    ) -> HttpResponse:
        """Do what the step is for. Raises `Refused`."""
        activation, key, by = way.activation, stop.step.key, operator_of(request)
        if stop.step.does is Does.CHECK and "test" in request.POST:
            ask_trial(activation.pk, by)
            return HttpResponseRedirect(request.path + "#trial")
        issued = offered = None
        with transaction.atomic():
            match stop.step.does:
                case Does.FILL_IN:
                    assert form is not None  # noqa: S101  made above
                    changed = fill_in(
                        activation.pk, key, form.cleaned_data["seen"], form.typed(), by
                    )
                case Does.ISSUE:
                    issued = hand_out(activation.pk, key, by)
                    changed = issued is not None
                    if issued and "link" in request.POST:
                        offered = offer_handover(activation.pk, by)
                case Does.CHECK:
                    preview = bool(request.POST.get("preview"))
                    changed = conclude(activation.pk, key, by, preview=preview)
                case _:
                    changed = note(activation.pk, key, by)
            if changed:
                self.log_change(request, activation, str(stop.step.title))
        if offered:
            return show_link(self, request, *offered, next_page=self._next(way, stop))
        if issued:
            activation.refresh_from_db()
            return show_once(self, request, activation, issued, next_page=self._next(way, stop))
        if stop.step.does is Does.ISSUE:
            messages.info(request, _("As credenciais já tinham sido geradas: nada mudou."))
        if stop.step.does is Does.CHECK and changed:
            messages.success(request, _("Ativação concluída."))
        return HttpResponseRedirect(self._next(way, stop))

    def _next(self, way: Way, stop: Stop) -> str:
        behind = way.beside(stop, +1)
        return step_url(way.activation, behind) if behind else page_of(way.activation)

    # -- Showing ---------------------------------------------------------------------------------

    def _show(
        self, request: HttpRequest, way: Way, stop: Stop, form: StepForm | None
    ) -> HttpResponse:
        activation = way.activation
        before = way.beside(stop, -1)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ativar %(connector)s para %(store)s")
            % {"connector": activation.connector.name, "store": activation.store},
            "opts": self.opts,
            "original": activation,
            "page": page_of(activation),
            "way": [
                (
                    each,
                    step_url(activation, each) if way.is_open(each) else "",
                    way.is_for_later(each),
                )
                for each in way.stops
            ],
            "stop": stop,
            "for_later": way.is_for_later(stop),
            "before": step_url(activation, before) if before else "",
            "behind": self._next(way, stop) if stop.done else "",
            "body": f"{PAGES}/steps/{stop.step.does.name.lower()}.html",
            "form": form,
            **self._facts(request, activation, stop),
        }
        return TemplateResponse(request, f"{PAGES}/step.html", context)

    def _facts(self, request: HttpRequest, activation: Activation, stop: Stop) -> dict[str, Any]:
        """What the step shows besides its text."""
        spec = activation.spec
        match stop.step.does:
            case Does.ADDRESS:
                secret = doorbell_secret(activation)
                here = request.build_absolute_uri("/")
                return {
                    "address": urljoin(here, reverse("webhook", args=[secret])) if secret else ""
                }
            case Does.ISSUE:
                return {"issued": activation.state != State.DRAFT}
            case Does.MERCHANT:
                here = request.build_absolute_uri("/")
                members = activation.store.members.filter(is_active=True)
                return {
                    "merchants": list(members.order_by("username")),
                    "address": urljoin(here, reverse("integrations")),
                    "concluded": activation.first_called_at is not None,
                }
            case Does.CHECK:
                upgrade = spec.upgrade
                return {
                    "trial": last_trial(activation),
                    "is_partner": activation.mode == Mode.PARTNER,
                    "is_draft": activation.state == State.DRAFT,
                    "asks_preview": activation.mode == Mode.MANAGED and spec.feeds_catalogue,
                    "to_upgrade": upgrade is not None
                    and activation.settings.get(upgrade.setting) == upgrade.old,
                }
            case _:
                return {}
