import pytest

from portal.demo.browser import Form

PAGE = """
<form method="post" action="/language/"><input type="hidden" name="next" value="/"></form>
<form method="post">
  <input type="hidden" name="csrfmiddlewaretoken" value="abc">
  <input type="text" name="name" value="Rocky &amp; filhos">
  <input type="radio" name="mode" value="partner" checked>
  <input type="radio" name="mode" value="managed">
  <input type="checkbox" name="on" checked>
  <input type="checkbox" name="off">
  <select name="images"><option value="always">A</option><option value="new">N</option></select>
  <select name="store"><option value="">-</option><option value="2" selected>L</option></select>
  <textarea name="text">Olá</textarea>
</form>
"""


def test_a_form_is_sent_as_a_browser_would_send_it_untouched():
    form = Form(PAGE, having="name")

    assert form.fields == {
        "csrfmiddlewaretoken": "abc",
        "name": "Rocky & filhos",
        "mode": "partner",
        "on": "on",
        "images": "always",
        "store": "2",
        "text": "Olá",
    }


def test_a_page_without_the_form_is_an_error():
    with pytest.raises(StopIteration):
        Form(PAGE, having="password")
