import pytest

from catalog.merging import merge

KNOWN = [{"id": "a", "code": "cor", "value": "azul"}]


@pytest.mark.parametrize("mark", [False, 0, "0", "false", "False", " ", "", None])
def test_a_mark_that_is_not_set_removes_nothing(mark):
    merged = merge(KNOWN, [{"id": "a", "remove": mark}], ("code",))

    assert [element["id"] for element in merged] == ["a"]


@pytest.mark.parametrize("mark", [True, 1, "1", "true", "True"])
def test_a_mark_that_is_set_removes(mark):
    assert merge(KNOWN, [{"id": "a", "remove": mark}], ("code",)) == []
