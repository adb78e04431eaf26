"""What goes over the wire, and what comes back."""

import pytest

from extproc.redteam.request import Reply


@pytest.mark.parametrize(
    ("status", "served"), [(0, False), (200, True), (204, True), (302, False), (429, False)]
)
def test_served_is_what_succeeded(status: int, served: bool) -> None:
    assert Reply(status, (), b"", 0, 0).served is served


def test_names_of_header_fields_are_read_in_any_case() -> None:
    reply = Reply(200, (("retry-after", "3"),), b"", 0, 0)
    assert reply.header("Retry-After") == "3"
    assert reply.header("server") is None
