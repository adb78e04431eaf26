import numpy as np

from extproc.redteam.victims import minilm


def test_no_text_of_the_judges_is_the_attackers() -> None:
    victim = minilm.private()
    theirs = {text.casefold() for text in victim.task}
    assert not theirs & {text.casefold() for text in victim.test}
    assert len(theirs) == len(victim.task) >= 6_000
    assert len(set(victim.test)) == len(victim.test)


def test_the_judge_has_as_many_texts_of_each_document() -> None:
    victim = minilm.public()
    assert len(victim.test) == len(victim.topics) == minilm.DOCUMENTS * minilm.OF_EACH
    counts = np.bincount(victim.topics)
    assert counts.tolist() == [minilm.OF_EACH] * minilm.DOCUMENTS


def test_the_public_model_is_what_the_private_one_was_made_from() -> None:
    private, public = minilm.private(), minilm.public()
    assert private.base == public.adapter
    assert public.base is None
    assert (private.dimensions, public.dimensions) == (256, 384)


def test_every_making_deals_the_same() -> None:
    minilm._dealt.cache_clear()
    once = minilm.public()
    minilm._dealt.cache_clear()
    again = minilm.public()
    assert (once.task, once.test) == (again.task, again.test)
