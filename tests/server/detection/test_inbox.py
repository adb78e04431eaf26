from extproc.server.detection.inbox import Inbox
from tests.server.detection.rig import asked


def test_what_was_put_first_is_taken_first() -> None:
    inbox = Inbox()
    one, other = asked(1), asked(2)
    inbox.put(one, 10)
    inbox.put(other, 10)
    assert inbox.filled.is_set()
    assert [inbox.first(), inbox.take(), inbox.take(), inbox.first()] == [one, one, other, None]
    assert inbox.take() is None
    assert not inbox.filled.is_set()


def test_what_finds_no_place_is_counted_and_its_volume_kept() -> None:
    inbox = Inbox(places=1)
    inbox.put(asked(1), 10)
    for _ in range(3):
        inbox.put(asked(1, 2), 10)
    inbox.put(asked(1, principal="key:2"), 10)
    assert (inbox.unseen, len(inbox)) == (4, 3)
    inbox.take()
    left = [inbox.take(), inbox.take()]
    assert {(each.principal, each.queries, each.inputs) for each in left if each} == {
        ("key:1", 6, ()),
        ("key:2", 1, ()),
    }


def test_of_a_crowd_only_so_many_volumes_are_kept() -> None:
    inbox = Inbox(places=0)
    for number in range(5_000):
        inbox.put(asked(1, principal=f"key:{number}"), 0)
    assert (inbox.unseen, len(inbox)) == (5_000, 1_000)


def test_inputs_take_only_so_many_bytes() -> None:
    inbox = Inbox(size=100)
    for _ in range(3):
        inbox.put(asked(1, digests=(b"x",)), 60)
    assert inbox.unread == 2
    found = [inbox.take() for _ in range(3)]
    assert [len(each.inputs) for each in found if each] == [1, 0, 0]
    assert [each.queries for each in found if each] == [1, 1, 1]
    inbox.put(asked(1), 100)
    assert inbox.unread == 2, "what was taken takes no place any more"
