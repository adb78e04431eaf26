from extproc.redteam.victims.roster import VICTIMS


def test_each_is_listed_by_its_own_name_and_says_in_one_sentence_what_it_is() -> None:
    for name, make in VICTIMS.items():
        victim = make()
        assert victim.name == name
        assert victim.about.endswith(".")
        assert "\n" not in victim.about
