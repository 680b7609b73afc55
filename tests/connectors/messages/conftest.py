import pytest

from connectors.messages import delivery


@pytest.fixture
def all_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a far side that looks into the database: the test's transaction is this thread's."""
    monkeypatch.setattr(delivery, "answer_of", lambda call, late: call())
