"""What the admission policies make of pods and routes, without a cluster.

Reads JSON: ``{policies, params, pods}``, where a pod is ``{operation, object, oldObject, inject}``.
Prints for each pod the object after the mutation, after a second one (both only where it is to be
injected), and what the validations say.  CEL is evaluated by another implementation than
Kubernetes', and JSONPatch{...} and Object.x{...} are read as mappings: neither types nor costs are
checked.
"""

import json
import re
import sys

import cel
import jsonpatch

PATCH_TYPE = re.compile(r"\b(?:JSONPatch|Object(?:\.\w+)*)\s*\{")
FIELD = re.compile(r"(?<=[{,])(\s*)(\w+)(\s*:)")
FUNCTIONS = {"split": lambda text, separator: text.split(separator)}
"""Of Kubernetes' own libraries, what the policies use."""
STRING = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")


def main():
    asked = json.load(sys.stdin)
    (mutating,) = of_kind(asked["policies"], "MutatingAdmissionPolicy")
    validating = of_kind(asked["policies"], "ValidatingAdmissionPolicy")
    print(
        json.dumps([admitted(pod, mutating, validating, asked["params"]) for pod in asked["pods"]])
    )


def of_kind(policies, kind):
    return [each["spec"] for each in policies if each["kind"] == kind]


def admitted(pod, mutating, validating, params):
    once = twice = pod["object"]
    if pod["inject"]:
        once = mutated(pod["object"], mutating, params)
        twice = mutated(once, mutating, params)
    after = {**pod, "object": once}
    said = [line for each in validating for line in refused(after, each, params)]
    return {"once": once, "twice": twice, "refused": said}


def mutated(pod, spec, params):
    if not selects(spec["matchConstraints"]["objectSelector"], pod):
        return pod
    known = {"object": pod, "params": params}
    if not all(cel.evaluate(each["expression"], known) for each in spec["matchConditions"]):
        return pod
    for each in spec["mutations"]:
        operations = cel.evaluate(as_mappings(each["jsonPatch"]["expression"]), known)
        pod = jsonpatch.apply_patch(pod, operations)
    return pod


def refused(pod, spec, params):
    (rule,) = spec["matchConstraints"]["resourceRules"]
    resource = f"{pod['object']['kind'].lower()}s"
    if pod["operation"] not in rule["operations"] or resource not in rule["resources"]:
        return []
    known = {"object": pod["object"], "oldObject": pod["oldObject"], "variables": {}, **FUNCTIONS}
    known |= {"params": params} if "paramKind" in spec else {}
    if not all(cel.evaluate(each["expression"], known) for each in spec.get("matchConditions", [])):
        return []
    for each in spec.get("variables", []):
        known["variables"][each["name"]] = cel.evaluate(each["expression"], known)
    return [
        each.get("message") or cel.evaluate(each["messageExpression"], known)
        for each in spec["validations"]
        if cel.evaluate(each["expression"], known) is not True
    ]


def selects(selector, pod):
    labels = pod["metadata"].get("labels", {})
    return selector["matchLabels"].items() <= labels.items()


def as_mappings(expression):
    """``Object.spec{name: 1}`` as ``{"name": 1}``; what stands in quotes is left alone."""
    kept = []

    def keep(found):
        kept.append(found[0])
        return f"@{len(kept) - 1}@"

    text = STRING.sub(keep, expression)
    text = FIELD.sub(r'\1"\2"\3', PATCH_TYPE.sub("{", text))
    return re.sub(r"@(\d+)@", lambda found: kept[int(found[1])], text)


if __name__ == "__main__":
    main()
