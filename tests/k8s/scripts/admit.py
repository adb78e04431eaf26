"""What the admission policies make of pods, without a cluster.

Reads JSON: ``{policies, params, pods}``, where a pod is ``{operation, object, oldObject}``.  Prints
for each pod the object after the mutation, after a second one, and what the validations say.  CEL
is evaluated by another implementation than Kubernetes', and JSONPatch{...} and Object.x{...} are
read as mappings: neither types nor costs are checked.
"""

import json
import re
import sys

import cel
import jsonpatch

PATCH_TYPE = re.compile(r"\b(?:JSONPatch|Object(?:\.\w+)*)\s*\{")
FIELD = re.compile(r"(?<=[{,])(\s*)(\w+)(\s*:)")
STRING = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")


def main():
    asked = json.load(sys.stdin)
    mutating = asked["policies"]["MutatingAdmissionPolicy"]["spec"]
    validating = asked["policies"]["ValidatingAdmissionPolicy"]["spec"]
    print(
        json.dumps([admitted(pod, mutating, validating, asked["params"]) for pod in asked["pods"]])
    )


def admitted(pod, mutating, validating, params):
    once = twice = pod["object"]
    if pod["operation"] == "CREATE":
        once = mutated(pod["object"], mutating, params)
        twice = mutated(once, mutating, params)
    return {"once": once, "twice": twice, "refused": refused({**pod, "object": once}, validating)}


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


def refused(pod, spec):
    selector = spec["matchConstraints"]["objectSelector"]
    if not any(selects(selector, pod.get(each)) for each in ("object", "oldObject")):
        return []
    known = {"object": pod["object"], "request": {"operation": pod["operation"]}}
    known["variables"] = {}
    for each in spec["variables"]:
        known["variables"][each["name"]] = cel.evaluate(each["expression"], known)
    return [
        each.get("message") or cel.evaluate(each["messageExpression"], known)
        for each in spec["validations"]
        if cel.evaluate(each["expression"], known) is not True
    ]


def selects(selector, pod):
    labels = (pod or {}).get("metadata", {}).get("labels", {})
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return (
        bool(pod)
        and exact
        and all(
            each["operator"] == "Exists" and each["key"] in labels
            for each in selector.get("matchExpressions", [])
        )
    )


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
