"""The admin of what other libraries brought: people in our look, the queue out of reach; and of
our own, what needs more than one app."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from connectors.admin.asking import ask, page_of
from connectors.admin.recorded import RecordedAdmin
from connectors.second_factor import forget
from portal.credentials import CredentialAdmin
from portal.upgrade import UpgradableActivationAdmin

__all__ = ["CredentialAdmin", "UpgradableActivationAdmin"]

# The recurring tasks are a table in code: one malformed row here would stop all of them.
for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

admin.site.unregister((User, Group))


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin, RecordedAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions_detail = ("forget_second_factor",)
    when_needed = _(
        "Quem já fez algo no portal fica no registro do que cada um fez: não é apagado. Desmarque"
        " “Ativo” na página da pessoa, e ela não entra mais."
    )

    @action(
        description=_("Zerar o segundo fator"),
        url_path="second-factor",
        permissions=["second_factor"],
    )
    def forget_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = get_object_or_404(User, pk=object_id)
        title = _("Zerar o segundo fator")
        if request.method != "POST":
            question = _(
                "Para quem não tem mais o aplicativo nem os códigos de recuperação: depois disto a"
                " senha basta para entrar, e o segundo fator se liga outra vez. Confira antes, por"
                " outro meio, que é a própria pessoa que pede."
            )
            return ask(self, request, user, title, question)
        with transaction.atomic():  # with its record, or not at all
            if forgotten := forget(user):
                self.log_change(request, user, str(_("Segundo fator zerado.")))
        if forgotten:
            messages.success(request, _("Segundo fator zerado."))
        else:
            messages.info(request, _("O segundo fator desta pessoa não estava ligado."))
        return HttpResponseRedirect(page_of(user))

    def has_second_factor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may do this could come in as anybody whose password he sets."""
        return cast(User, request.user).is_superuser


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, RecordedAdmin):
    pass
