from extproc.demo.server.models.embedder import Embedder
from extproc.demo.server.models.minilm import MiniLm
from extproc.demo.server.models.minilm_private import PrivateMiniLm


def test_what_a_model_says_has_the_dimensions_it_tells(minilm: MiniLm) -> None:
    loaded: tuple[Embedder, ...] = (minilm, PrivateMiniLm.on(minilm))
    for model in loaded:
        embedded = model.embed(["A man is eating food.", "Rain."])
        assert embedded.vectors.shape == (2, model.dimensions)
        assert embedded.lengths == [8, 4]  # each between [CLS] and [SEP]
        assert embedded.tokens == 12
