"""The forms of the steps of an activation, made from its connector's specification."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.activating import FilledIn, Stop
from connectors.admin.forms import (
    CREDENTIAL,
    LAST_DAY,
    SETTING,
    LastDayField,
    PluginUrlField,
    credential_field,
)
from connectors.forms import setting_field
from connectors.models import Activation, Connector, State
from connectors.spec import Mode, Setting
from connectors.steps import CREDENTIALS
from connectors.store_field import store_field

NAMES = {"name": _("Nome do pluggin"), "custom_name": _("Nome personalizado")}


class StartForm(forms.Form):
    """For which store, and in which mode where there is a choice."""

    submission = forms.UUIDField(widget=forms.HiddenInput(), initial=uuid.uuid4)

    def __init__(self, connector: Connector, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        modes = [mode for mode in Mode if mode in connector.spec.modes]
        self.fields["store"] = store_field()
        self.fields["mode"] = forms.ChoiceField(
            label=_("Como vai funcionar"),
            choices=[(mode.value, mode.label) for mode in modes],
            initial=modes[0].value,
            widget=UnfoldAdminRadioSelectWidget() if len(modes) > 1 else forms.HiddenInput(),
        )


class StepForm(forms.Form):
    """What one step asks for, with what is stored."""

    def __init__(self, activation: Activation, stop: Stop, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.activation, self.step = activation, stop.step
        # What was shown: whoever saves after somebody else is told (activating.fill_in).
        self.fields["seen"] = forms.CharField(
            required=False, initial=stop.version, widget=forms.HiddenInput()
        )
        settings = {each.key: each for each in activation.spec.settings_in(activation.mode)}
        for name in self.step.fields:
            if name == CREDENTIALS:
                self._ask_for_credentials()
            elif name == "plugin_url":
                self._ask_for_url()
            elif name in settings:
                self._ask_for_setting(settings[name])
            else:
                self._ask_for_name(name)

    def _ask_for_name(self, name: str) -> None:
        self.fields[name] = forms.CharField(
            label=NAMES[name],
            max_length=80,
            required=name == "name",
            initial=getattr(self.activation, name),
            # What the partner knows it by stays, once it is at work.
            disabled=name == "name" and self.activation.state != State.DRAFT,
            help_text="" if name == "name" else _("Opcional: o nome que a loja dá a ele."),
            widget=UnfoldAdminTextInputWidget(),
        )

    def _ask_for_url(self) -> None:
        field = PluginUrlField(self.activation.spec.activating, self.activation.store)
        field.initial = self.activation.plugin_url or field.initial
        self.fields["plugin_url"] = field

    def _ask_for_setting(self, setting: Setting) -> None:
        field = setting_field(setting)
        field.initial = self.activation.settings.get(setting.key, setting.default)
        self.fields[SETTING + setting.key] = field

    def _ask_for_credentials(self) -> None:
        known = self.activation.credentials.received().exists()
        help_text = _("Já gravado. Em branco, fica como está.") if known else ""
        for credential in self.activation.spec.credentials:
            field = credential_field(credential, help_text)
            field.required = not known
            field.widget.attrs["autocomplete"] = "off"
            self.fields[CREDENTIAL + credential.key] = field
        self.fields[LAST_DAY] = LastDayField()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Activation.objects.filter(
            store=self.activation.store_id, connector=self.activation.connector_id, name=name
        )
        if others.exclude(pk=self.activation.pk).exists():
            raise forms.ValidationError(
                _("Esta loja já tem um pluggin com este nome neste conector.")
            )
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        received = self._received(cleaned)
        if received and any(received.values()) and not all(received.values()):
            for key, value in received.items():
                if not value and CREDENTIAL + key not in self.errors:
                    self.add_error(CREDENTIAL + key, _("Informe todas as credenciais."))
        return cleaned

    def typed(self) -> FilledIn:
        data = self.cleaned_data
        received = self._received(data)
        return FilledIn(
            name=data.get("name"),
            custom_name=data.get("custom_name"),
            plugin_url=data.get("plugin_url"),
            values={
                name.removeprefix(SETTING): value
                for name, value in data.items()
                if name.startswith(SETTING)
            },
            received=received if any(received.values()) else None,
            received_end=data.get(LAST_DAY),
        )

    def _received(self, data: dict[str, Any]) -> dict[str, str]:
        return {
            name.removeprefix(CREDENTIAL): value.strip()
            for name, value in data.items()
            if name.startswith(CREDENTIAL)
        }
