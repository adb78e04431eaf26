from extproc.redteam.attacks.pairs import of_unknown_model
from extproc.redteam.request import Request


def test_a_model_that_is_not_there_is_named_in_the_path() -> None:
    request = Request("/v2/models/digits/infer")
    assert of_unknown_model(request).path == "/v2/models/nothing/infer"
    assert of_unknown_model(request, str.upper).path == "/v2/models/DIGITS/infer"


def test_a_path_without_models_stays() -> None:
    assert of_unknown_model(Request("/predict")).path == "/predict"
