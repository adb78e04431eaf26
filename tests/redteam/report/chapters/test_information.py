from extproc.redteam.report.catalogue import Catalogue
from extproc.redteam.report.chapters.information import section
from extproc.redteam.report.model import gather
from tests.redteam.report.made_up import ATTACKS, RUN, row


def test_bits_are_told_for_each_policy_or_the_chapter_is_left_out() -> None:
    catalogue = Catalogue.of(ATTACKS.values())
    found = section(gather([row("bits.entropy", 3.0, budget=0)], RUN, catalogue))
    assert found is not None
    assert section(gather([], RUN, catalogue)) is None
