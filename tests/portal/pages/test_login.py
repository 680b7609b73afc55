"""Coming in: passwords, the second factor, and who has to wait."""

import base64
import re
import time
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from axes.utils import reset
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors import second_factor
from connectors.models import Act, RecoveryCode, SecondFactor
from connectors.second_factor import key_of, offered, switch_on

PAGE = "/login/second-factor/"
PASSWORD = "segredo-da-operadora"


def code_of(user: User, moment: float = 0) -> str:
    key = base64.b32decode(key_of(SecondFactor.objects.get(pk=user.pk)))
    return TOTP(key, 6, SHA1(), 30).generate(int(moment or time.time())).decode()  # noqa: S303


def with_factor(user: User) -> list[str]:
    """Switched on a while ago: the code of now is unused."""
    offered(user)
    codes = switch_on(user, code_of(user))
    SecondFactor.objects.update(last_step=0)
    return codes


def sign_in(client: Client, password: str = PASSWORD, **more: str):
    return client.post("/login/", {"username": "operadora", "password": password, **more})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_password_alone_lets_nobody_in_for_whom_it_is_on(operator: User) -> None:
    with_factor(operator)
    client = Client()

    answer = sign_in(client, next="/admin/")

    assert answer["Location"] == "/login/code/?next=%2Fadmin%2F"
    assert not is_in(client)
    assert client.get("/orders/").status_code == 302
    answer = client.post(answer["Location"], {"code": code_of(operator), "next": "/admin/"})
    assert answer["Location"] == "/admin/"
    assert is_in(client)


def test_a_code_is_good_for_one_use(operator: User) -> None:
    with_factor(operator)
    code = code_of(operator)
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client)

    for client in (first, second):
        client.post("/login/code/", {"code": code})

    assert is_in(first)
    assert not is_in(second)


def test_a_recovery_code_is_good_for_one_use(operator: User) -> None:
    code = with_factor(operator)[0]
    clients = Client(), Client()
    for client in clients:
        sign_in(client)
        client.post("/login/code/", {"code": code.upper()})

    assert [is_in(client) for client in clients] == [True, False]
    assert code not in str(list(RecoveryCode.objects.values()))


def test_a_used_code_stays_used_when_a_recovery_code_was_used_since(operator: User) -> None:
    recovery_codes = with_factor(operator)
    code = code_of(operator)

    for typed, comes_in in ((code, True), (recovery_codes[0], True), (code, False)):
        client = Client()
        sign_in(client)
        client.post("/login/code/", {"code": typed})
        assert is_in(client) == comes_in


def test_what_is_on_is_not_switched_on_again(operator: User) -> None:
    with_factor(operator)

    assert switch_on(operator, code_of(operator)) == []
    assert RecoveryCode.objects.count() == second_factor.RECOVERY_CODES


def test_where_the_key_is_gone_a_recovery_code_leads_to_another_second_factor(
    operator: User, settings: LazySettings
) -> None:
    first, second, *_rest = with_factor(operator)
    code = code_of(operator)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    client = Client()
    sign_in(client)
    sealed = SecondFactor.objects.get().sealed

    refused = client.post("/login/code/", {"code": code}).content.decode()
    client.post("/login/code/", {"code": first})
    page = client.get(PAGE).content.decode()
    assert SecondFactor.objects.get().sealed == sealed  # its key may come back
    client.post(PAGE, {"code": second})

    assert "Use um código de recuperação" in refused
    assert "ou um código de recuperação" in page
    assert client.get(PAGE).status_code == 200
    assert "Está ligado" in client.post(PAGE, {"code": code_of(operator)}).content.decode()


def test_where_the_key_is_gone_one_that_was_never_switched_on_is_made_again(
    operator: User, settings: LazySettings
) -> None:
    offered(operator)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    client = Client()
    client.force_login(operator)

    client.get(PAGE)

    assert switch_on(operator, code_of(operator))


def test_after_five_wrong_codes_a_right_one_waits(operator: User) -> None:
    with_factor(operator)
    client = Client()
    sign_in(client)
    for wrong in ("000000", "", "çççççç", "1", "00000000000000000000"):
        answer = client.post("/login/code/", {"code": wrong})
        assert answer.status_code == 200
    assert "Espere 15 minutos" in answer.content.decode()

    client.post("/login/code/", {"code": code_of(operator)})

    assert not is_in(client)
    SecondFactor.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    client.post("/login/code/", {"code": code_of(operator)})
    assert is_in(client)


def test_the_second_step_alone_leads_back_to_the_first(operator: User) -> None:
    with_factor(operator)
    client = Client()

    assert client.get("/login/code/")["Location"] == "/login/"
    assert client.post("/login/code/", {"code": code_of(operator)})["Location"] == "/login/"
    sign_in(client)
    session = client.session
    session["half_way"] = [operator.pk, time.time() - 600]
    session.save()
    assert client.post("/login/code/", {"code": code_of(operator)})["Location"] == "/login/"
    assert not is_in(client)


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example"])
def test_the_code_page_leads_nowhere_else(operator: User, evil: str) -> None:
    with_factor(operator)
    client = Client()
    sign_in(client)

    answer = client.post("/login/code/", {"code": code_of(operator), "next": evil})

    assert answer["Location"] == "/"


def test_staff_without_it_are_led_to_switch_it_on(operator: User, settings: LazySettings) -> None:
    settings.REQUIRE_STAFF_2FA = True
    client = Client()
    sign_in(client)

    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith(PAGE)
    page = answer.content.decode()
    key = re.search(r"data-key>(\w+)<", page)
    assert key is not None
    assert "<svg" in page
    assert client.get("/admin/connectors/store/").status_code == 302
    wrong = client.post(PAGE, {"code": "000000"}).content.decode()
    assert "não confere" in wrong
    shown = client.post(PAGE, {"code": code_of(operator)}).content.decode()
    codes = re.findall(r"\b(?:[0-9a-f]{4}-){3}[0-9a-f]{4}\b", shown)
    assert len(codes) == 10
    assert client.get("/admin/").status_code == 200
    assert key[1] not in client.get(PAGE).content.decode()
    assert Act.objects.get().what == "Segundo fator ligado."


def test_what_is_kept_of_it_is_sealed(operator: User) -> None:
    with_factor(operator)
    factor = SecondFactor.objects.get()

    assert key_of(factor) not in str(SecondFactor.objects.values())
    assert second_factor.address_of(factor).startswith("otpauth://totp/Tomada:operadora")


def test_it_is_switched_off_with_a_code_only(operator: User) -> None:
    with_factor(operator)
    client = Client()
    client.force_login(operator)

    client.post(PAGE, {"code": "000000"})
    assert second_factor.is_on(operator)

    client.post(PAGE, {"code": code_of(operator)})

    assert not second_factor.is_on(operator)
    assert Act.objects.get().what == "Segundo fator desligado."


def test_who_lost_the_application_and_the_codes_is_let_in_by_the_administrator_alone(
    operator: User, admin_client: Client
) -> None:
    with_factor(operator)
    colleague = Client()
    colleague.force_login(User.objects.create_user("colega", is_staff=True))
    url = f"/admin/auth/user/{operator.pk}/second-factor/"

    assert colleague.post(url).status_code == 403
    assert "outro meio" in admin_client.get(url).content.decode()
    assert second_factor.is_on(operator)
    admin_client.post(url)
    admin_client.post(url)

    assert not second_factor.is_on(operator)
    sign_in(client := Client())
    assert is_in(client)
    assert Act.objects.get().what == "Segundo fator zerado."


def test_a_password_of_ones_own_that_is_changed_is_on_record(operator: User) -> None:
    operator.set_password(PASSWORD)
    operator.save()
    client = Client()
    client.force_login(operator)
    new = {"new_password1": "outra-senha-longa-9", "new_password2": "outra-senha-longa-9"}

    for old in ("errada", PASSWORD):
        client.post("/admin/password_change/", {"old_password": old, **new})

    act = Act.objects.get()
    assert (act.by, act.what, act.changes) == (operator, "Senha alterada.", {})
    operator.refresh_from_db()
    assert operator.check_password("outra-senha-longa-9")


def test_who_looks_at_the_form_for_his_password_keeps_no_writer_waiting(operator: User) -> None:
    client = Client()
    client.force_login(operator)

    with CaptureQueriesContext(connection) as asked:
        assert client.get("/admin/password_change/").status_code == 200

    assert not [query for query in asked if query["sql"].startswith("SAVEPOINT")]


def test_merchants_need_none(settings: LazySettings, db: None) -> None:
    settings.REQUIRE_STAFF_2FA = True
    User.objects.create_user("lojista", password=PASSWORD)
    client = Client()

    answer = client.post("/login/", {"username": "lojista", "password": PASSWORD})

    assert answer["Location"] == "/"
    assert is_in(client)


def test_after_five_wrong_passwords_a_right_one_waits_from_there_and_not_from_elsewhere(
    operator: User,
) -> None:
    here, elsewhere = Client(), Client(REMOTE_ADDR="203.0.113.9")
    for _n in range(5):
        answer = sign_in(here, "errada")
    assert answer.status_code == 429
    assert "Tente outra vez em 15 minutos" in answer.content.decode()

    sign_in(here)
    sign_in(elsewhere)

    assert not is_in(here)
    assert is_in(elsewhere)
    assert "errada" not in str(list(AccessAttempt.objects.values()))
    reset()
    sign_in(here)
    assert is_in(here)


def test_the_wait_ends_by_itself(operator: User) -> None:
    client = Client()
    for _n in range(5):
        sign_in(client, "errada")

    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    sign_in(client)

    assert is_in(client)
