"""The forms of an activation, made from its connector's specification."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from connectors.addresses import fault_of
from connectors.forms import (
    WholeField,
    check_year,
    keep_what_is,
    setting_field,
    show_what_was,
)
from connectors.models import Activation, Store
from connectors.runs.cadence import LEAST, MOST, minutes_of, settable_flows
from connectors.spec import Activating, CredentialField, Mode

SETTING, CREDENTIAL, INTERVAL = "setting_", "credential_", "interval_"
LAST_DAY = "last_day"  # of the received credentials


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
