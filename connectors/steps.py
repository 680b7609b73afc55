"""The steps that the activations of several connectors have in common."""

from django.utils.translation import gettext_lazy as _

from connectors.spec import Does, Mode, Step

CREDENTIALS = "credentials"  # of a step's fields: whatever the specification asks for

ISSUE = Step(
    "credentials",
    Does.ISSUE,
    _("Credenciais"),
    _("O portal gera as chaves do parceiro. Escolha como entregá-las a ele."),
    mode=Mode.PARTNER,
)
RECORD = Step(
    "record",
    Does.FILL_IN,
    _("Credenciais"),
    _("O que a plataforma deu para o portal entrar nela. Fica guardado com cifra."),
    fields=(CREDENTIALS,),
    mode=Mode.MANAGED,
)
FIRST_CALL = Step(
    "first_call",
    Does.CHECK,
    _("Primeira chamada"),
    _("Agora é a vez do parceiro. Na primeira chamada dele a integração fica ativa sozinha."),
    mode=Mode.PARTNER,
)
TEST = Step(
    "test",
    Does.CHECK,
    _("Teste da conexão"),
    _("O portal entra no sistema e lê uma página de cada assunto. Nada é gravado."),
    mode=Mode.MANAGED,
)
RING_AT = Step(
    "address",
    Does.ADDRESS,
    _("Endereço de avisos"),
    _("Copie o endereço e informe-o no sistema: por ele o portal fica sabendo do que mudou."),
    mode=Mode.MANAGED,
)
