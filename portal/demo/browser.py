"""A person at the portal's pages, over HTTP: signs in, follows links, fills forms in."""

import re
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

    def sign_in(self, path: str, username: str, password: str) -> None:
        self.submit(path, "password", username=username, password=password)

    def link(self, page: str, pattern: str) -> str:
        """The address of the first link that matches."""
        found = re.search(rf'href="([^"]*{pattern}[^"]*)"', page)
        if found is None:
            raise AssertionError(f"no link {pattern}")
        return found[1].replace("&amp;", "&")
