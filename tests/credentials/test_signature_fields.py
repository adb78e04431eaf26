"""The one way in which a signature may be written, against a library that reads every way."""

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.credentials.signature_fields import (
    LONGEST_INPUT,
    LONGEST_SIGNATURE,
    MOST_COMPONENTS,
    Signed,
    read,
)

PARAMETERS = ';created=1800000000;keyid="k";nonce="n"'
INPUT = f'sig1=("@method" "content-digest"){PARAMETERS}'
SIGNATURE = "sig1=:c2ln:"


def test_a_signature_is_what_it_says_of_itself() -> None:
    assert read(f'{INPUT};alg="ed25519";expires=7;tag="t"', SIGNATURE) == Signed(
        ("@method", "content-digest"),
        1_800_000_000,
        "n",
        "k",
        f'("@method" "content-digest"){PARAMETERS};alg="ed25519";expires=7;tag="t"',
        b"sig",
        "ed25519",
        7,
    )


def test_what_need_not_be_said_is_not_said() -> None:
    found = read(INPUT, SIGNATURE)
    assert found is not None
    assert (found.algorithm, found.expires) == ("", None)


INPUTS = {
    "nothing": "",
    "no component": f"sig1=(){PARAMETERS}",
    "no parameter": 'sig1=("@method")',
    "two signatures": f"{INPUT}, {INPUT.replace('sig1', 'sig2')}",
    "two signatures, joined by Envoy": f"{INPUT},{INPUT.replace('sig1', 'sig2')}",
    "the same twice": f"{INPUT}, {INPUT}",
    "an empty member": f"{INPUT},",
    "another label": INPUT.replace("sig1", "sig2"),
    "a label in capitals": INPUT.replace("sig1", "SIG1"),
    "no label": INPUT.removeprefix("sig1="),
    "cut": INPUT[:-1],
    "cut in a component": INPUT[:15],
    "an item and no list": f'sig1="@method"{PARAMETERS}',
    "a component twice": f'sig1=("@method" "@method"){PARAMETERS}',
    "a component in capitals": f'sig1=("@Method"){PARAMETERS}',
    "a component as token": f"sig1=(@method){PARAMETERS}",
    "an empty component": f'sig1=(""){PARAMETERS}',
    "a component that ends the line": f'sig1=("a\n"){PARAMETERS}',
    "of the request": f'sig1=("@method";req){PARAMETERS}',
    "as structured field": f'sig1=("@method" "content-digest";sf){PARAMETERS}',
    "as byte sequence": f'sig1=("@method" "content-digest";bs){PARAMETERS}',
    "a member of a field": f'sig1=("@method" "content-digest";key="sha-256"){PARAMETERS}',
    "of the trailers": f'sig1=("@method" "content-digest";tr){PARAMETERS}',
    "a query parameter": f'sig1=("@query-param";name="a"){PARAMETERS}',
    "two spaces": INPUT.replace(" ", "  "),
    "a tab": INPUT.replace(" ", "\t"),
    "a space before a parameter": INPUT.replace(";", "; "),
    "a space at the end": f"{INPUT} ",
    "a line break at the end": f"{INPUT}\n",
    "no time": INPUT.replace("created", "expires"),
    "no key": INPUT.replace("keyid", "tag"),
    "no nonce": INPUT.replace("nonce", "tag"),
    "an empty nonce": INPUT.replace('"n"', '""'),
    "a nonce that is no text": INPUT.replace('"n"', "1"),
    "a nonce with a quote": INPUT.replace('"n"', '"n\\""'),
    "a nonce that is not ASCII": INPUT.replace('"n"', '"ñ"'),
    "a long nonce": INPUT.replace('"n"', f'"{"n" * 257}"'),
    "a time that is text": INPUT.replace("1800000000", '"1800000000"'),
    "a time with a fraction": INPUT.replace("1800000000", "1800000000.0"),
    "a time before 1970": INPUT.replace("1800000000", "-1"),
    "a time with zeros": INPUT.replace("1800000000", "01800000000"),
    "a time beyond all": INPUT.replace("1800000000", "1" * 16),
    "digits that are not ASCII": INPUT.replace("1800000000", "\N{FULLWIDTH DIGIT ONE}" * 10),
    "a parameter twice": f"{INPUT};created=1",
    "the key twice": f'{INPUT};keyid="other"',
    "an unknown parameter": f"{INPUT};x=1",
    "a parameter without value": f"{INPUT};tag",
    "oversized": INPUT.replace('"@method"', " ".join(f'"x-{n:063}"' for n in range(31))),
}


@pytest.mark.parametrize("what", INPUTS)
def test_whatever_else_stands_there_is_no_signature(what: str) -> None:
    assert read(INPUTS[what], SIGNATURE) is None


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sig1",
        "sig1=",
        "sig1=:c2ln",
        "sig1=c2ln",
        'sig1="c2ln"',
        "sig1=:c2l:",
        "sig1=:c2lnA:",
        "sig1=:c2ln=:",
        "sig1=:c2_n:",
        "sig1=:c2ln:;a",
        "sig1=:c2ln: ",
        "sig2=:c2ln:",
        "sig1=:c2ln:, sig1=:c2ln:",
        "sig1=:c2ln:,sig2=:c2ln:",
        f"sig1=:{'A' * LONGEST_SIGNATURE}:",
    ],
)
def test_a_signature_is_base64_under_the_same_label(signature: str) -> None:
    assert read(INPUT, signature) is None


def test_lists_are_bounded() -> None:
    def covering(count: int) -> str:
        names = " ".join(f'"x-{number}"' for number in range(count))
        return f"sig1=({names}){PARAMETERS}"

    assert read(covering(MOST_COMPONENTS), SIGNATURE) is not None
    assert read(covering(MOST_COMPONENTS + 1), SIGNATURE) is None
    assert len(covering(MOST_COMPONENTS + 1)) < LONGEST_INPUT


NAMES = st.from_regex(r"@?[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
OPTIONAL = st.fixed_dictionaries(
    {"created": st.integers(0, 10**12), "keyid": TEXTS, "nonce": TEXTS},
    optional={"alg": TEXTS, "tag": TEXTS, "expires": st.integers(0, 10**12)},
)


@given(
    label=st.from_regex(r"[a-z][a-z0-9_.-]{0,20}", fullmatch=True),
    components=st.lists(NAMES, min_size=1, max_size=12, unique=True),
    parameters=OPTIONAL,
    signature=st.binary(min_size=1, max_size=80),
)
def test_what_is_read_is_what_a_library_wrote(
    label: str, components: list[str], parameters: dict[str, Any], signature: bytes
) -> None:
    listed: Any = ([(name, {}) for name in components], parameters)
    said = http_sf.ser({label: listed})
    found = read(said, http_sf.ser({label: (signature, {})}))
    if any(
        set(value) & set('"\\') or not value for value in parameters.values() if type(value) is str
    ):
        assert found is None  # its text is not what it says, or says nothing
        return
    assert found is not None
    assert found.components == tuple(components)
    assert (found.created, found.key, found.nonce) == tuple(
        parameters[name] for name in ("created", "keyid", "nonce")
    )
    assert (found.algorithm, found.expires) == (
        parameters.get("alg", ""),
        parameters.get("expires"),
    )
    assert found.signature == signature
    assert found.parameters == said.partition("=")[2]


@given(
    said=st.text(max_size=60)
    | st.from_regex(r'[a-z]=\("@?[a-z]*"[ ;a-z="0-9]*\)[ -~]*', fullmatch=True),
    given=st.text(),
)
def test_whatever_stands_there_nothing_is_raised(said: str, given: str) -> None:
    assert read(INPUT, given) is None
    found = read(said, f"{said[:1]}=:c2ln:")
    assert found is None or said.endswith(found.parameters)


@given(data=st.data())
def test_a_signature_that_is_cut_or_changed_anywhere_is_another_or_none(
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(INPUT) - 1))
    put = data.draw(st.sampled_from(["", " ", '"', ";", ",", "(", ")", "=", "\\", "\0", "\n"]))
    changed = INPUT[:at] + put + INPUT[at + 1 :]
    found, whole = read(changed, SIGNATURE), read(INPUT, SIGNATURE)
    assert whole is not None
    assert found is None or changed == INPUT or found.parameters != whole.parameters
