from extproc.redteam.victims import tiny_lm


def test_there_are_many_more_prompts_than_hidden_dimensions() -> None:
    victim = tiny_lm.victim()
    assert len(set(victim.prompts)) == len(victim.prompts) >= 10 * victim.hidden
    assert len({tuple(prompt.split()[-2:]) for prompt in victim.prompts}) > 5 * victim.hidden
    assert victim.parameters == {"model": "tiny-lm"}
