"""Write the middle of docs/surfaces.md from the table of all APIs, tests/corpus/surfaces.yaml.

``python -m docs.surfaces`` writes the page.  What the table says is held against the code by
tests/corpus/test_surfaces.py, so the page says no more than that.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

import orjson

from docs import page
from docs.page import table
from tests.corpus.exchanges import Recorded, recorded
from tests.corpus.surfaces import Ask, Effect, Places, Surface, To, surfaces

WHOSE = {
    "everybody": "everybody",
    "nobody": "nobody",
    "fault": "an answer that has it is not released",
}


def main() -> None:
    page.write("surfaces", filled)


def filled(text: str) -> str:
    """The page with what stands between the two marks written anew."""
    return page.between_marks(text, "surfaces", _surfaces())


def _surfaces() -> str:
    exchanges = {one.name: one for one in recorded()}
    apis = [(api, [*forms]) for api, forms in groupby(surfaces(), attrgetter("api"))]
    index = table(("API", "paths"), [_summary(api, forms) for api, forms in apis])
    return "\n".join([index, *(_api(api, forms, exchanges) for api, forms in apis)])


def _summary(api: str, forms: list[Surface]) -> tuple[str, str]:
    anchor = "".join(c for c in api.lower().replace(" ", "-") if c.isalnum() or c == "-")
    return f"[{api}](#{anchor})", ", ".join(dict.fromkeys(f"`{form.path}`" for form in forms))


def _api(api: str, forms: list[Surface], exchanges: Mapping[str, Recorded]) -> str:
    told = dict.fromkeys(pair for form in forms for pair in form.refused)
    traps = dict.fromkeys(trap for form in forms for trap in form.traps)
    failures = dict.fromkeys(_json(said) for form in forms for said in form.failures)
    types = dict.fromkeys(name for form in forms for name in form.media_types)
    fields = dict.fromkeys(name for form in forms for name in form.header_fields)
    parts = [f"## {api}\n", *(_form(form, exchanges) for form in forms)]
    parts += [table(("not to be had", "why"), [*told])] if told else []
    parts += [_listed("Not released, whatever else is said", failures)] if failures else []
    parts += [_listed("Answers of these types are not released", types)] if types else []
    parts += [_listed("Header fields of an answer that nobody gets", fields)] if fields else []
    parts += [_listed("Denied unless routed", traps)] if traps else []
    return "\n".join(parts)


def _form(form: Surface, exchanges: Mapping[str, Recorded]) -> str:
    tags = dict.fromkeys(exchanges[name].tag for name, _ in form.exchanges)
    dialects = ", ".join(f"[`{tag}`](dialects.md#{tag})" for tag in tags)
    title = f"### {form.form[:1].upper()}{form.form[1:]}\n\n" if form.form else ""
    parts = [f"{title}`{form.path}`, read by {dialects}.\n", *_answers(form)]
    asked = [(_asked(ask), _effect(ask.poor), _effect(ask.rich)) for ask in form.asks]
    heads = ("a request's", "at the poorest tier", "where everything is granted")
    return "\n".join([*parts, *([table(heads, asked)] if asked else [])])


def _answers(form: Surface) -> Iterator[str]:
    same = form.leaks == form.streams
    if form.leaks:
        yield table(("an answer's", "is for"), _places(form.leaks))
    if form.streams and same:
        yield "The events of a stream have the same places.\n"
    elif form.streams:
        yield table(("a stream's", "is for"), _places(form.streams))


def _places(places: Places) -> list[tuple[str, str]]:
    return [
        (", ".join(f"`{place}`" for place in listed), WHOSE.get(whose, f"`{whose}`"))
        for whose, listed in places.items()
    ]


def _asked(ask: Ask) -> str:
    beside = "".join(f" beside `{name}: {_json(value)}`" for name, value in ask.beside.items())
    return f"`{ask.field}: {_json(ask.value)}`{beside}"


def _effect(effect: Effect) -> str:
    match effect:
        case To(value):
            return f"becomes `{_json(value)}`"
        case "out":
            return "taken out"
        case "pass":
            return "goes on"
        case "refused":
            return "refused"


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _listed(title: str, names: Iterable[str]) -> str:
    return f"{title}: {', '.join(f'`{name}`' for name in names)}.\n"


if __name__ == "__main__":
    main()
