import pytest

from catalog.merging import merge, still_told

KNOWN = [{"id": "a", "code": "cor", "value": "azul"}]


@pytest.mark.parametrize("mark", [False, 0, "0", "false", "False", " ", "", None])
def test_a_mark_that_is_not_set_removes_nothing(mark):
    merged = merge(KNOWN, [{"id": "a", "remove": mark}], ("code",))

    assert merged == KNOWN
    marked = [{**KNOWN[0], "remove": mark}]
    assert merge([], marked, ("code",)) == KNOWN
    assert merge(marked, KNOWN, ("code",)) == KNOWN


@pytest.mark.parametrize("mark", [True, 1, "1", "true", "True"])
def test_a_mark_that_is_set_removes(mark):
    assert merge(KNOWN, [{"id": "a", "remove": mark}], ("code",)) == []


def test_who_removes_what_is_not_there_removes_nothing():
    assert (
        merge(KNOWN, [{"id": "b", "remove": True}, {"code": "tamanho", "remove": True}], ("code",))
        == KNOWN
    )


def test_what_is_blank_makes_no_two_elements_the_same():
    photos = [{"url": f"https://a.example/{n}.jpg", "external": ""} for n in (1, 2)]

    merged = merge([], photos, ("external", "url"))

    assert [photo["url"] for photo in merged] == [photo["url"] for photo in photos]
    assert merge(merged, photos, ("external", "url")) == merged


@pytest.mark.parametrize("blank", [{}, {"code": ""}, {"code": None}])
def test_an_element_without_its_natural_key_is_not_doubled(blank):
    sent = [{**blank, "label": "Cor"}, {**blank, "label": "Tamanho"}]

    once = merge([], sent, ("code",))

    assert [element["label"] for element in once] == ["Cor", "Tamanho"]
    assert merge(once, sent, ("code",)) == once
    assert merge(once, [{**each, "remove": "0"} for each in sent], ("code",)) == once
    assert merge(once, [{**sent[0], "remove": True}], ("code",)) == once[1:]


def test_of_what_is_told_whole_only_the_rest_is_left():
    sent = [{"code": "cor", "label": "Cor"}, {"label": "Feito à mão"}]
    known = merge([{"id": "a", "code": "size", "label": "Tamanho"}], sent, ("code",))

    left = still_told(known, sent, ("code",))

    assert [element["label"] for element in left] == ["Cor", "Feito à mão"]
    assert merge(left, sent, ("code",)) == left


def test_each_that_is_told_means_one_of_the_known():
    known = [{"id": "a", "external": "1", "url": "old"}, {"id": "b", "external": "2", "url": "new"}]
    sent = [{"external": "1", "url": "new"}]
    keys = ("external", "url")

    assert merge(still_told(known, sent, keys), sent, keys) == [{"id": "a", **sent[0]}]


@pytest.mark.parametrize("theirs", ["", None, "b"])
def test_an_element_that_is_known_by_its_key_keeps_its_id(theirs):
    merged = merge(KNOWN, [{"id": theirs, "code": "cor", "value": "verde"}], ("code",))

    assert merged == [{"id": "a", "code": "cor", "value": "verde"}]


def test_elements_with_ids_of_their_own_are_two_though_they_say_the_same():
    said = {"label": "Feito à mão"}

    merged = merge([{"id": "a", **said}], [{"id": "b", **said}], ("code",))

    assert [element["id"] for element in merged] == ["a", "b"]


def test_the_list_that_was_there_stays_as_it_was_so_that_a_change_can_be_told():
    known = [{"id": "a", "code": "cor", "value": "azul"}]

    merge(known, [{"id": "a", "value": "verde"}, {"code": "size", "value": "P"}], ("code",))

    assert known == KNOWN
