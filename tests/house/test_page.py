"""What is written of a page stands between its marks, and nowhere else."""

import pytest

from docs.page import between_marks

BEGIN = "<!-- written by docs/a.py from the code: make docs -->\n"
END = "<!-- end of what is written from the code -->\n"


def test_what_is_around_the_marks_stays() -> None:
    found = between_marks(f"before\n{BEGIN}old\n{END}after\n", "a", "new\n")
    assert found == f"before\n{BEGIN}\nnew\n\n{END}after\n"
    assert between_marks(found, "a", "new\n") == found


@pytest.mark.parametrize("page", ["nothing", BEGIN, END, END + BEGIN])
def test_a_page_without_marks_is_refused(page: str) -> None:
    """It would be written behind what is there."""
    with pytest.raises(ValueError, match=r"docs/a\.md"):
        between_marks(page, "a", "new\n")


def test_the_marks_of_another_script_are_not_its_own() -> None:
    with pytest.raises(ValueError, match="marks"):
        between_marks(BEGIN + END, "b", "new\n")
