"""What the example policy answers to a request, for the documents.

``python docs/asked.py TENANT 'METHOD PATH' BODY [MODEL]`` prints the status and either the refusal,
or the tier and the body that goes on to the model server.  It is the code that serves, without its
wires: credentials and limits are not looked at.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from extproc.config import compile_table, load  # noqa: E402
from extproc.errors import ClientError  # noqa: E402
from extproc.reading import read  # noqa: E402
from extproc.refusal import UNKNOWN_ROUTE  # noqa: E402

FILE = ROOT / "docs" / "examples" / "entitlement.yaml"


def main() -> None:
    tenant, route, body, *model = sys.argv[1:]
    table = compile_table(load(FILE), {"EXTPROC_HMAC": "0" * 32})
    policy = table.policies.get((tenant, route))
    if policy is None:
        print(UNKNOWN_ROUTE.status, UNKNOWN_ROUTE.message)
        return
    try:
        policy, asked = read(policy, body.encode(), {"model": model[0]} if model else {})
    except ClientError as error:
        print(error.refusal.status, error.refusal.message)
    else:
        print(200, f"{policy.fidelity.name}:", asked.body.decode())


if __name__ == "__main__":
    main()
