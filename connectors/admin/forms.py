"""The forms of an activation, made from its connector's specification."""

import re
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from connectors.addresses import fault_of
from connectors.fiscal import cnpj_is_valid, compact
from connectors.models import Activation, Store
from connectors.placeholders import validators_of
from connectors.runs.cadence import LEAST, MOST, minutes_of, settable_flows
from connectors.spec import Activating, CredentialField, Field, Mode, Setting

SETTING, CREDENTIAL, INTERVAL = "setting_", "credential_", "interval_"
LAST_DAY = "last_day"  # of the received credentials


class WholeField(forms.IntegerField):
    """Django's own takes 1.000, a Brazilian's thousand, for 1; browsers pass it on as it is."""

    re_decimal = re.compile(r"(?!)")  # there is nothing to leave out of what was typed


def setting_field(setting: Setting) -> forms.Field:
    """The form field of one setting of a specification."""
    common: dict[str, Any] = {
        "label": setting.label,
        "help_text": setting.help,
        "required": False,
        "initial": setting.default,
    }
    match setting.field:
        case Field.FLAG:
            return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)
        case Field.CHOICE:
            return forms.ChoiceField(
                choices=setting.choices, widget=UnfoldAdminSelectWidget(), **common
            )
        case Field.LONG_TEXT:
            return forms.CharField(
                widget=UnfoldAdminTextareaWidget(), validators=validators_of(setting), **common
            )
        case Field.CNPJ:
            return CnpjField(widget=UnfoldAdminTextInputWidget(), **common)
        case Field.PERCENT:
            return WholeField(
                min_value=1, max_value=100, widget=UnfoldAdminIntegerFieldWidget(), **common
            )
        case Field.URL:
            return HttpsField(max_length=500, widget=UnfoldAdminURLInputWidget(), **common)
        case _:
            return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)


def credential_field(credential: CredentialField, help_text: Any) -> forms.Field:
    widget = UnfoldAdminPasswordWidget if credential.secret else UnfoldAdminTextInputWidget
    return forms.CharField(
        label=str(credential.label), required=False, widget=widget(), help_text=help_text
    )


class DayInput(forms.DateInput):
    """The browser's own."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")


def check_year(day: date) -> None:
    """A browser makes the year 26 of a typed 26, and a clock ends with the year 9999."""
    if not 2000 <= day.year <= 2100:
        raise forms.ValidationError(_("Confira o ano."))


class LastDayField(forms.DateField):
    """The last day on which the platform takes the credentials; the value is its last moment."""

    default_validators = [check_year]

    def __init__(self) -> None:
        super().__init__(
            label=_("Vale até"),
            required=False,
            widget=DayInput(),
            help_text=_(
                "Opcional: o último dia em que o sistema aceita estas credenciais. Avisamos 14"
                " dias antes."
            ),
        )

    def clean(self, value: Any) -> datetime | None:
        day: date | None = super().clean(value)
        if day is None:
            return None
        if day < timezone.localdate():
            raise forms.ValidationError(_("Este dia já passou."))
        return timezone.make_aware(datetime.combine(day, time(23, 59)))


class CnpjField(forms.CharField):
    """With or without mask; the value is the compact form."""

    def clean(self, value: Any) -> str:
        cnpj = compact(super().clean(value))
        if cnpj and not cnpj_is_valid(cnpj):
            raise forms.ValidationError(_("Este CNPJ não existe: confira os dígitos."))
        return cnpj


class HttpsField(forms.URLField):
    """An address that we call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **kwargs)

    def clean(self, value: Any) -> str:
        url: str = super().clean(value)
        if url and urlsplit(url).scheme != "https" and not settings.ALLOW_PRIVATE_ADDRESSES:
            raise forms.ValidationError(_("A URL precisa começar com https://"))
        return url


class PluginUrlField(forms.URLField):
    """Where the plugin is, as its connector asks for it."""

    def __init__(self, activating: Activating, store: Store) -> None:
        self.domain = store.domain if activating.own_domain else ""
        super().__init__(
            assume_scheme="https",
            label=_("URL do pluggin"),
            max_length=500,
            required=activating.url_required,
            initial=activating.default_url or (f"https://{self.domain}" if self.domain else ""),
            widget=UnfoldAdminURLInputWidget(),
            error_messages={"required": _("Informe a URL do pluggin.")},
            help_text=(
                _("O domínio da loja, com https://")
                if self.domain
                else _("O endereço do sistema, com https://")
                if activating.url_required
                else _("Para onde vão as notificações; pode ficar para depois.")
            ),
        )

    def clean(self, value: Any) -> str:
        url: str = super().clean(value)
        if url and (fault := fault_of(url, self.domain)):
            raise forms.ValidationError(fault)
        return url


def show_what_was(form: forms.BaseForm) -> None:
    """What was shown goes along: somebody may write while the page is open."""
    for field in form.fields.values():
        field.show_hidden_initial = True


def keep_what_is(form: forms.BaseForm) -> None:
    """Who saves an old page changes only what he typed into it."""
    for name in form.cleaned_data.keys() - set(form.changed_data):
        if form.add_initial_prefix(name) in form.data:
            form.cleaned_data[name] = form.get_initial_for_field(form.fields[name], name)


class ActivationForm(forms.ModelForm):
    """What may change after the first save: the name people see, the address, the settings, and
    what the platform gave us, for when it gave us something new."""

    class Meta:
        model = Activation
        fields = ("custom_name",)
        widgets = {"custom_name": UnfoldAdminTextInputWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plugin_url"] = PluginUrlField(
            self.instance.spec.activating, self.instance.store
        )
        self.initial["plugin_url"] = self.instance.plugin_url
        for setting in self.instance.spec.settings_in(self.instance.mode):
            field = setting_field(setting)
            field.initial = self.instance.settings.get(setting.key, setting.default)
            self.fields[SETTING + setting.key] = field
        for ability, flow in settable_flows(self.instance).items():
            self.fields[INTERVAL + ability] = WholeField(
                label=_("%(flow)s: intervalo em minutos") % {"flow": flow.get_flow_display()},
                min_value=LEAST,
                max_value=MOST,
                initial=minutes_of(flow),
                widget=UnfoldAdminIntegerFieldWidget(),
            )
        show_what_was(self)
        if self.instance.mode == Mode.MANAGED:
            for credential in self.instance.spec.credentials:
                self.fields[CREDENTIAL + credential.key] = credential_field(
                    credential, _("Em branco, fica como está.")
                )
            self.fields[LAST_DAY] = LastDayField()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        keep_what_is(self)
        received = _with_prefix(cleaned, CREDENTIAL)
        if any(received.values()):
            for key, value in received.items():
                if not value:
                    self.add_error(CREDENTIAL + key, _("Informe todas as credenciais."))
        return cleaned

    def settings_values(self) -> dict[str, Any]:
        return _with_prefix(self.cleaned_data, SETTING)

    def intervals(self) -> dict[str, int]:
        return _with_prefix(self.cleaned_data, INTERVAL)

    def received_credentials(self) -> dict[str, str]:
        """Nothing where all were left blank."""
        received = _with_prefix(self.cleaned_data, CREDENTIAL)
        return received if any(received.values()) else {}

    def received_end(self) -> datetime | None:
        return self.cleaned_data.get(LAST_DAY)


def _with_prefix(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }
