"""What a route asks of its requests, in words: bounds and how many rules, never their values."""

from collections.abc import Iterator

from extproc.policy import Policy
from extproc.validation import Contract


def checks_of(contract: Contract | None, policy: Policy) -> Iterator[str]:
    """Beginning with what always holds."""
    most = policy.caps.request
    if contract is None:
        yield f"body {size(most)} (caps.request)"
        return
    yield f"body {size(min(most, contract.body))}"
    for words, bound in _bounds(contract).items():
        if bound:
            yield words.format(bound)


def _bounds(contract: Contract) -> dict[str, object]:
    """By what is said of them; of those that are not there, nothing."""
    return {
        "header fields {}": size(contract.headers) if contract.headers else None,
        "depth {}": contract.size.depth,
        "arrays {}": contract.size.array,
        "strings {}": contract.size.string,
        "batch {}": contract.batch,
        "a JSON Schema": contract.schema,
        "rules for fields: {}": len(contract.fields),
        "rules for tensors: {}, and no others": len(contract.tensors),
    }


def size(octets: int) -> str:
    """``64 KiB``; whole ones alone."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if octets % unit == 0:
            return f"{octets // unit} {name}"
    return f"{octets} bytes"
