from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from connectors.spec import (
    IMAGES,
    PREPARATION_DAYS,
    Activating,
    Contact,
    Does,
    End,
    Field,
    Hook,
    Mode,
    Route,
    Setting,
    Spec,
    Step,
    Through,
)
from connectors.steps import FIRST_CALL, ISSUE

SHIPPED_EMAIL = """Olá, {cliente}!

Seu pedido {pedido} foi enviado. Código de rastreio: {rastreio}
{link}

{loja}
"""
DELIVERED_EMAIL = """Olá, {cliente}!

Seu pedido {pedido} foi entregue. Obrigado por comprar conosco.

{loja}
"""

SPEC = Spec(
    slug="pluga",
    name="Pluga",
    modes={Mode.PARTNER: _("sim: a Pluga nos chama e assina os nossos avisos")},
    catalogue=Route(End.HUB, End.TOOLS, by_webhook=True),
    orders=Route(End.TOOLS, End.HUB),
    hooks=frozenset(Hook),
    activating=Activating(
        steps=(
            Step(
                "install",
                Does.FILL_IN,
                _("Instalar"),
                _("O nome com que a Pluga aparece para a loja."),
                fields=("name",),
                described=(_("assistente: buscar, instalar"),),
            ),
            replace(
                ISSUE,
                title=_("Identificador e token"),
                text=_("O portal preenche os dois; copie-os e envie a quem usa a Pluga."),
                described=(
                    _(
                        "identificador do integrador e token mostrados já preenchidos, para copiar"
                        " e enviar"
                    ),
                    _("salvar e avançar"),
                ),
            ),
            Step(
                "emails",
                Does.FILL_IN,
                _("Avisos por e-mail"),
                _("O que o cliente da loja recebe. Os dois são opcionais."),
                fields=(
                    "email_shipped",
                    "email_shipped_text",
                    "email_delivered",
                    "email_delivered_text",
                ),
                described=(_("configurações de aviso por e-mail"),),
            ),
            replace(
                FIRST_CALL,
                title=_("Concluir"),
                described=(_("concluir"),),
            ),
            Step(
                "further",
                Does.FILL_IN,
                _("Outros campos"),
                _("Se não souber, deixe como está: muda-se depois."),
                fields=("plugin_url", PREPARATION_DAYS.key, IMAGES.key),
                described=(_("outros campos só aparecem depois do primeiro salvamento"),),
            ),
        ),
        url_required=False,
        integrator=True,
    ),
    settings=(
        Setting(
            "email_shipped",
            _("Enviar o código de rastreio por e-mail"),
            Field.FLAG,
            default=False,
            help=_("Ao cliente, quando o pedido passa a Enviado."),
            special=_("enviar o código de rastreio por e-mail quando um pedido passa a Enviado"),
        ),
        Setting(
            "email_delivered",
            _("Avisar da entrega por e-mail"),
            Field.FLAG,
            default=False,
            help=_("Ao cliente, quando o pedido passa a Entregue."),
            special=_("enviar e-mail na entrega"),
        ),
        Setting(
            "email_shipped_text",
            _("Texto do e-mail de envio"),
            Field.LONG_TEXT,
            default=SHIPPED_EMAIL,
            help=_("Pode conter {cliente}, {pedido}, {loja}, {rastreio} e {link}."),
            placeholders=("cliente", "pedido", "loja", "rastreio", "link"),
            special=_("ambos opcionais, com texto de um modelo que a loja pode editar"),
        ),
        Setting(
            "email_delivered_text",
            _("Texto do e-mail de entrega"),
            Field.LONG_TEXT,
            default=DELIVERED_EMAIL,
            help=_("Pode conter {cliente}, {pedido} e {loja}."),
            placeholders=("cliente", "pedido", "loja"),
        ),
        replace(
            PREPARATION_DAYS,
            special=_(
                "no envio de produtos: dias de preparação (só se preenchidos), imagens sempre ou"
                " só para produtos novos"
            ),
            after_first_save=True,
        ),
        replace(IMAGES, after_first_save=True),
    ),
    contacts=(Contact(Through.HELP_CENTRE),),
)
