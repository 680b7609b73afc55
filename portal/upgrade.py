"""Where support brings an integration to its platform's new version: what it would find, account by
account, and the button."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminURLInputWidget

from connectors.admin.activations import MORE, ActivationAdmin
from connectors.admin.asking import page_of
from connectors.errors import Refused
from connectors.forms import HttpsField
from connectors.models import Activation
from orders.upgrade import Plan, is_to_upgrade, plans, upgrade
from portal.revoking import RevocableActivation

admin.site.unregister(Activation)


class UpgradeForm(forms.Form):
    """Which account takes over (none: it stays the same one), and at which address."""

    target = forms.IntegerField(required=False, widget=forms.HiddenInput())
    plugin_url = HttpsField(
        label=_("URL do pluggin na nova versão"),
        max_length=500,
        required=False,
        widget=UnfoldAdminURLInputWidget(),
        help_text=_("Em branco, fica como está."),
    )


def _form_for(plan: Plan, request: HttpRequest) -> UpgradeForm:
    """With what was typed, if it was typed into this one."""
    target = str(plan.target.pk) if plan.target else ""
    typed = request.POST if request.POST.get("target") == target else None
    return UpgradeForm(typed, initial={"target": target}, auto_id=f"id_{target}_%s")


@admin.register(Activation)
class UpgradableActivationAdmin(RevocableActivation, ActivationAdmin):
    """The connectors' own page, with what also concerns the catalogue and the orders."""

    actions_detail = (
        *ActivationAdmin.actions_detail[:-1],
        {"title": _("Mais"), "items": [*MORE, "upgrade", "revoke_for_good"]},
    )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        activation = self.get_object(request, str(object_id))
        actions = super().get_actions_detail(request, object_id)
        if activation is not None and is_to_upgrade(activation):
            return actions
        return [each for each in actions if not each.action_name.endswith("_upgrade")]

    @action(description=_("Migrar para a nova versão"), url_path="upgrade", permissions=["change"])
    def upgrade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows first what there is; the answer to the POST says what was moved."""
        activation = get_object_or_404(
            Activation.objects.select_related("connector", "store"), pk=object_id
        )
        form = UpgradeForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Migrar %(activation)s") % {"activation": activation},
                "opts": self.opts,
                "original": activation,
                "page": page_of(activation),
                "plans": [(plan, _form_for(plan, request)) for plan in plans(activation)],
            }
            return TemplateResponse(request, "admin/connectors/activation/upgrade.html", context)
        target, plugin_url = form.cleaned_data["target"], form.cleaned_data["plugin_url"]
        try:
            with transaction.atomic():  # with its record, or not at all
                done = upgrade(activation.pk, target, plugin_url)
                self._tell(request, done)
        except Refused as error:
            messages.warning(request, str(error))
            return HttpResponseRedirect(page_of(activation))
        return HttpResponseRedirect(page_of(done.target or activation))

    def _tell(self, request: HttpRequest, done: Plan) -> None:
        counts = _(
            "%(mappings)d De/Para, %(orders)d pedidos (%(open_orders)d em aberto),"
            " %(notices)d notificações a caminho, %(credentials)d credenciais."
        ) % vars(done)
        if done.target is None:
            text = _("Está na nova versão, com tudo o que tinha: %(counts)s") % {"counts": counts}
            self.log_change(request, done.source, str(text))
        else:
            text = _("Migrada para %(target)s: %(counts)s") % {
                "target": done.target,
                "counts": counts,
            }
            self.log_change(request, done.source, str(text))
            taken_over = _("Assumiu o lugar de %(source)s.") % {"source": done.source}
            self.log_change(request, done.target, str(taken_over))
        messages.success(request, text)
