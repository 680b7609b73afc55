"""Who and what the demo begins with."""

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from connectors.models import Store

DOMAIN = ".demo.tomada.example"
OPERATOR, OPERATOR_PASSWORD = "operadora", "demo-operadora"
MERCHANT, MERCHANT_PASSWORD = "lojista", "demo-lojista"


def start_afresh() -> None:
    """Migrate, and empty what an earlier demo left. Refuses a database that is not a demo's."""
    call_command("migrate", verbosity=0)
    strangers = User.objects.exclude(username__in=[OPERATOR, MERCHANT])
    if Store.objects.exclude(domain__endswith=DOMAIN).exists() or strangers.exists():
        raise CommandError(
            "Este banco de dados não é de uma demonstração: aponte DATABASE_URL para um vazio."
        )
    call_command("flush", interactive=False, verbosity=0)
    User.objects.create_superuser(OPERATOR, password=OPERATOR_PASSWORD)
    User.objects.create_user(MERCHANT, password=MERCHANT_PASSWORD)


def open_store(name: str, slug: str) -> Store:
    store = Store.objects.create(name=name, cnpj="12ABC34501DE35", domain=slug + DOMAIN)
    store.members.add(User.objects.get(username=MERCHANT))
    return store
