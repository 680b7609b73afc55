"""A person at the portal's pages, over HTTP: signs in, follows links, fills forms in."""

import re
import time
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

SECONDS = 30


class Form(HTMLParser):
    """The first POST form with a given field, as a browser would send it untouched."""

    def __init__(self, page: str, having: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.select = ""
        self.textarea = ""
        self.feed(page)
        self.fields = next(fields for fields in self.forms if having in fields)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "input" and name:
            if given.get("type") not in ("checkbox", "radio"):
                self.forms[-1][name] = value
            elif "checked" in given:
                self.forms[-1][name] = value or "on"
        elif tag == "textarea":
            self.textarea = name
            self.forms[-1][name] = ""
        elif tag == "select":
            self.select = name
        elif (
            tag == "option"
            and self.select
            and ("selected" in given or self.select not in self.forms[-1])
        ):
            self.forms[-1][self.select] = value

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.forms[-1][self.textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""


class Browser:
    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()

    def open(self, path: str) -> str:
        answer = self.session.get(urljoin(self.base, path), timeout=SECONDS)
        answer.raise_for_status()
        return answer.text

    def submit(self, path: str, having: str, **filled: str) -> requests.Response:
        """Fill the form on a page that has the field `having`, and send it."""
        form = Form(self.open(path), having)
        url = urljoin(self.base, path)
        answer = self.session.post(
            url, data=form.fields | filled, headers={"Referer": url}, timeout=SECONDS
        )
        answer.raise_for_status()
        return answer

    def activate(self, path: str, **typed: str) -> list[str]:
        """Take the steps of an activation from its first page on, typing what each asks for, as
        far as they are this person's; the pages that answered."""
        answer = self.submit(path, "submission", **typed)
        pages = [answer.text]
        while 'name="step"' in answer.text and 'name="conclude"' not in answer.text:
            if 'name="test"' in answer.text:
                answer = self._test(answer.url)
            else:
                answer = self._fill_in(answer, typed)
            pages.append(answer.text)
            if onwards := re.search(r'class="main" href="([^"]*/way/[^"]*)"', answer.text):
                answer = self.session.get(urljoin(self.base, onwards[1]), timeout=SECONDS)
                pages.append(answer.text)
        if 'name="conclude"' in answer.text:
            answer = self.submit(answer.url, "step", conclude="1", preview="")
            pages.append(answer.text)
        if 'name="step"' in answer.text:  # what is asked for after the first save
            pages.append(self._fill_in(answer, typed).text)
        return pages

    def _fill_in(self, shown: requests.Response, typed: dict[str, str]) -> requests.Response:
        """A step, with what it asks for."""
        asked = Form(shown.text, "step").fields
        known = {name: value for name, value in typed.items() if name in asked}
        return self.submit(shown.url, "step", **known)

    def _test(self, url: str) -> requests.Response:
        """The connection test, until it has ended."""
        answer = self.submit(url, "step", test="1")
        ends_at = time.monotonic() + SECONDS
        while 'name="conclude"' not in answer.text:
            if time.monotonic() > ends_at:
                raise AssertionError("the connection test did not end")
            time.sleep(0.2)
            answer = self.session.get(url, timeout=SECONDS)
        return answer

    def sign_in(self, path: str, username: str, password: str) -> None:
        self.submit(path, "password", username=username, password=password)

    def link(self, page: str, pattern: str) -> str:
        """The address of the first link that matches."""
        found = re.search(rf'href="([^"]*{pattern}[^"]*)"', page)
        if found is None:
            raise AssertionError(f"no link {pattern}")
        return found[1].replace("&amp;", "&")
