from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from connectors.admin.columns import moment_of
from connectors.admin.recorded import RecordedAdmin
from connectors.fiscal import cnpj_is_valid, compact
from connectors.models import Store


class StoreForm(forms.ModelForm):
    # Typed with its mask it is longer than what is stored.
    cnpj = forms.CharField(label=_("CNPJ"), max_length=25, help_text=_("Com letras ou só números."))

    class Meta:
        model = Store
        fields = ("name", "cnpj", "domain", "members", "personal_data_days")

    def clean_cnpj(self) -> str:
        cnpj = compact(self.cleaned_data["cnpj"])
        if not cnpj_is_valid(cnpj):
            raise forms.ValidationError(_("Este CNPJ não existe: confira os dígitos."))
        return cnpj

    def clean_domain(self) -> str:
        typed: str = self.cleaned_data["domain"].strip().lower()
        domain = typed.removeprefix("https://").removeprefix("http://").partition("/")[0]
        if not domain:
            raise forms.ValidationError(_("Informe o domínio da loja."))
        return domain

    def clean_personal_data_days(self) -> int | None:
        days: int | None = self.cleaned_data["personal_data_days"]
        if days == 0:  # by whom it should mean never: what is anonymised does not come back
            raise forms.ValidationError(_("Deixe vazio para não anonimizar, ou informe os dias."))
        return days


@admin.register(Store)
class StoreAdmin(RecordedAdmin):
    form = StoreForm
    list_display = ("name", "cnpj", "domain", "shown_created")
    shown_created = moment_of(Store, "created_at")
    when_empty = _(
        "Nenhuma loja ainda: tudo no portal pertence a uma. Cadastre a primeira e depois ative um"
        " conector para ela."
    )
    when_needed = _(
        "Uma loja com integrações, pedidos ou produtos tem histórico, que se guarda: ela não é"
        " apagada. Revogue as integrações dela e tire os lojistas."
    )
    search_fields = ("name__called", "cnpj", "domain")
    autocomplete_fields = ("members",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Store], search_term: str
    ) -> tuple[QuerySet[Store], bool]:
        """Also by a CNPJ as people write it."""
        cnpj = compact(search_term)
        term = cnpj if cnpj_is_valid(cnpj) else search_term
        results: tuple[QuerySet[Store], bool] = super().get_search_results(request, queryset, term)
        return results
