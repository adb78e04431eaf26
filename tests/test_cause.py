import re

from extproc.cause import Cause, furthest


def test_names_are_names_and_mean_something() -> None:
    for cause in Cause:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+|[a-z]+", cause)
        assert cause.meaning
        assert (str(cause), cause.value) == (cause, cause)
    assert len({cause.meaning for cause in Cause}) == len(Cause)


def test_of_several_the_one_that_got_furthest_is_named() -> None:
    assert furthest([]) is Cause.CREDENTIAL_MISSING
    seen = [Cause.KEY_UNKNOWN, Cause.TOKEN_EXPIRED, Cause.CREDENTIAL_MISSING]
    assert furthest(seen) is furthest(reversed(seen)) is Cause.TOKEN_EXPIRED
    assert furthest([Cause.TOKEN_MALFORMED, Cause.KEY_UNKNOWN]) is Cause.KEY_UNKNOWN
