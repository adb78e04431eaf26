"""Hold documents, a JSON list on stdin, against the schemas of several versions of Kubernetes.

Prints what is wrong as a JSON list of lines.  A kind that a version does not know is wrong.
"""

import json
import re
import sys

from jsonschema.validators import Draft202012Validator
from kubernetes_validate import utils
from referencing import Registry, Resource

SCHEMAS = "kubernetes-json-schema/v{}-local-strict/{}.json"


def main() -> None:
    """As kubernetes-validate does it, but that each schema is read once."""
    documents = json.load(sys.stdin)
    bundled = {utils.major_minor(each): each for each in utils.all_versions()}
    print(
        json.dumps([line for each in sys.argv[1:] for line in problems(documents, bundled[each])])
    )


def problems(documents, version):
    definitions = Resource.from_contents(read(version, "_definitions"))
    validators = {}
    for document in documents:
        about = f"{version} {document['kind']} {document['metadata']['name']}"
        group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", document["apiVersion"])
        name = f"{document['kind'].lower()}-{group}"
        if name not in validators:
            try:
                schema = Resource.from_contents(read(version, name))
            except FileNotFoundError:
                yield f"{about}: no such kind in {document['apiVersion']}"
                continue
            registry = definitions @ (schema @ Registry())
            validators[name] = Draft202012Validator(schema.contents, registry=registry)
        for error in validators[name].iter_errors(document):
            yield f"{about}: {error.json_path}: {error.message[:200]}"


def read(version, name):
    return utils.schema_contents(SCHEMAS.format(version, name), version)


if __name__ == "__main__":
    main()
