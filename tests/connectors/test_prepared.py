"""Statements that are written once."""

from queue import SimpleQueue

import pytest
from django.db.models import Value

from connectors.models import Activation, Store
from connectors.prepared import Prepared, Slot, many, slot_of_many
from tests.conftest import make_activation, make_store
from tests.threads import AT_ONCE, all_at_once


def of_store() -> Prepared[Activation]:
    return Prepared(
        lambda: (
            Activation.objects.filter(store=Slot("store"))
            .select_related("connector", "endpoint", "moved_to")
            .annotate(seven=Value(7))
        )
    )


def test_each_asking_has_its_own_values(store: Store) -> None:
    other = make_store()
    mine, theirs = make_activation(store, "pluga"), make_activation(other, "rocky")
    question = of_store()

    found = [question(store=each.pk) for each in (store, other, store)]

    assert found == [[mine], [theirs], [mine]]


def test_what_is_found_is_as_the_orm_finds_it(store: Store, django_assert_num_queries) -> None:
    make_activation(store, "pluga")
    question = of_store()
    question(store=store.pk)

    with django_assert_num_queries(1):
        (found,) = question(store=store.pk)
        facts = (found.connector.slug, found.endpoint.pk == found.pk, found.moved_to, found.seven)

    assert facts == ("pluga", True, None, 7)


def test_nothing_is_found_among_no_values(store: Store) -> None:
    question = Prepared(
        lambda: Store.objects.filter(
            pk__in=slot_of_many("ids", "bigint"), name__in=slot_of_many("names", "text")
        ).values_list("pk", flat=True)
    )

    assert question(ids=many({store.pk}), names=many([store.name])) == [store.pk]
    assert question(ids=many([]), names=many([store.name])) == []
    assert question(ids=many([store.pk]), names=many([])) == []


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_get_each_his_own_answer() -> None:
    stores = [make_store() for _each in range(AT_ONCE)]
    waiting = SimpleQueue[int]()
    for store in stores:
        waiting.put(store.pk)
    question = Prepared(lambda: Store.objects.filter(pk=Slot("pk")).values_list("pk", flat=True))

    def ask() -> set[tuple[int, ...]]:
        pk = waiting.get()
        return {(pk, *question(pk=pk)) for _each in range(20)}

    found = all_at_once(ask)

    assert set().union(*found) == {(store.pk, store.pk) for store in stores}
