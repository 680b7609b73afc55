"""Coming in: the password, then, for whom it is on, the code; and switching that on."""

import time
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views import View

from connectors.acts import record_act
from connectors.attempts import Attempts
from connectors.hashing import keyed
from connectors.second_factor import (
    RECOVERY_CODES,
    Verdict,
    address_of,
    check,
    is_on,
    key_of,
    offered,
    switch_off,
    switch_on,
)
from portal.site import SHOWN

HALF_WAY = "half_way"  # in the session: whose password was right, and when
DEVICE = "device-"  # the cookie of a browser in which somebody came in by this name
DEVICE_SECONDS = 365 * 24 * 60 * 60
PATIENCE = 5 * 60  # seconds, for typing the code
BACKEND = "django.contrib.auth.backends.ModelBackend"


def _complaint(verdict: Verdict) -> str:
    if verdict is Verdict.LOCKED:
        return _("Muitos códigos errados. Espere 15 minutos e tente de novo.")
    if verdict is Verdict.LOST:
        return _(
            "O portal não abre mais o seu segundo fator: a chave saiu de CREDENTIAL_KEYS. Use um"
            " código de recuperação e, em Segundo fator, desligue e ligue outra vez."
        )
    return _("Este código não confere ou já foi usado. Confira o relógio do celular.")


class LoginPage(LoginView):
    template_name = "pages/login.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who guesses one name's password from a thousand addresses waits, and so does whoever
        comes to that name in a new browser meanwhile; its people are known by theirs."""
        name = UsernameField(max_length=254).to_python(request.POST.get("username", ""))
        self.name = keyed(str(name))
        device, max_age = DEVICE + self.name[:16], DEVICE_SECONDS
        known = request.get_signed_cookie(device, "", salt=DEVICE, max_age=max_age) == self.name
        self.guesses = None if known else Attempts(DEVICE, self.name, most=settings.NAME_ATTEMPTS)
        if self.guesses and self.guesses.are_too_many():
            return answer_locked_out(request)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        # An address that has to wait guesses no more; a form without a password guessed nothing.
        has_to_wait = getattr(self.request, "axes_locked_out", False)
        if self.guesses and form.non_field_errors() and not has_to_wait:
            self.guesses.note()
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = self._let_in(form)
        response.set_signed_cookie(
            DEVICE + self.name[:16],
            self.name,
            salt=DEVICE,
            max_age=DEVICE_SECONDS,
            path=reverse("login"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def _let_in(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if not is_on(user):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[HALF_WAY] = [user.pk, time.time()]
        query = urlencode({REDIRECT_FIELD_NAME: self.get_success_url()})
        return HttpResponseRedirect(f"{reverse('login-code')}?{query}")


class CodePage(RedirectURLMixin, View):
    """The second step. Until it is taken, nobody is logged in."""

    next_page = settings.LOGIN_REDIRECT_URL

    def get(self, request: HttpRequest) -> HttpResponse:
        if self._user() is None:
            return HttpResponseRedirect(reverse("login"))
        return self._page("")

    def post(self, request: HttpRequest) -> HttpResponse:
        user = self._user()
        if user is None:
            return HttpResponseRedirect(reverse("login"))
        verdict = check(user, request.POST.get("code", ""))
        if verdict is not Verdict.RIGHT:
            return self._page(_complaint(verdict))
        del request.session[HALF_WAY]
        login(request, user, backend=BACKEND)
        request.session[SHOWN] = True
        return HttpResponseRedirect(self.get_success_url())

    def _user(self) -> User | None:
        pk, at = self.request.session.get(HALF_WAY, (None, 0))
        if time.time() - at > PATIENCE:
            return None
        return User.objects.filter(pk=pk, is_active=True).first()

    def _page(self, complaint: str) -> HttpResponse:
        context = {"complaint": complaint, "next": self.get_redirect_url()}
        return TemplateResponse(self.request, "pages/login_code.html", context)


class SecondFactorPage(LoginRequiredMixin, View):
    """Switching it on, with the recovery codes shown once; and off, with a code."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        code = request.POST.get("code", "")
        if not is_on(user):
            with transaction.atomic():  # with its record, or not at all
                if codes := switch_on(user, code):
                    self._record(_("Segundo fator ligado."))
            if not codes:
                return self._page(complaint=_complaint(Verdict.WRONG))
            request.session.cycle_key()
            request.session[SHOWN] = True
            return self._page(codes=codes)
        with transaction.atomic():
            if (verdict := switch_off(user, code)) is Verdict.RIGHT:
                self._record(_("Segundo fator desligado."))
        if verdict is not Verdict.RIGHT:
            return self._page(complaint=_complaint(verdict))
        request.session.pop(SHOWN, None)
        return HttpResponseRedirect(reverse("second-factor"))

    def _record(self, what: str) -> None:
        user = cast(User, self.request.user)
        record_act(user, user, what, address=self.request.META.get("REMOTE_ADDR", ""))

    def _page(self, **more: Any) -> HttpResponse:
        user = cast(User, self.request.user)
        factor = offered(user)
        context: dict[str, Any] = {
            "on": factor.confirmed_at is not None,
            "required": user.is_staff and settings.REQUIRE_STAFF_2FA,
            "left": factor.recovery_codes.filter(used_at=None).count(),
            "of": RECOVERY_CODES,
            **more,
        }
        if not context["on"]:
            context |= {"key": key_of(factor), "picture": _picture(address_of(factor))}
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(self.request, "pages/second_factor.html", context, headers=headers)


def _picture(text: str) -> str:
    """A QR code as part of the page: no other address ever holds the key."""
    import qrcode.image.svg  # nobody else in this process needs it

    image = qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, border=2)
    return mark_safe(image.to_string(encoding="unicode"))  # noqa: S308  our own drawing


def answer_locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """For axes: who typed too many wrong passwords."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return TemplateResponse(
        request, "pages/locked_out.html", {"minutes": minutes}, status=429
    ).render()
