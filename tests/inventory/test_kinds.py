"""Which kinds a dialect can answer: held against all that is known of each API."""

from extproc.inventory.kinds import kinds_of
from extproc.prediction import KINDS
from tests.corpus.exchanges import Recorded
from tests.laws.serving import OPEN, every_answer, serve


@every_answer
def test_a_kind_that_changes_an_answer_is_one_that_is_found(exchange: Recorded) -> None:
    everything = serve(exchange).wire
    changing = {
        kind
        for kind in KINDS
        if serve(exchange, {k: chain for k, chain in OPEN.items() if k != kind}).wire != everything
    }
    assert changing <= {*kinds_of(exchange.route.dialect)}
