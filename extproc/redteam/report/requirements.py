"""What two standards ask that a red team can show from outside.

Sources: OWASP, "AI Security Verification Standard" 1.0, chapter C11.3, and the research chapter of
the same number, which says what auditors should try; MITRE ATLAS, technique AML.T0024.  What they
ask is told here in this project's words.  ATLAS numbers: .000 is membership inference, .001 model
inversion, .002 extraction; AISVS's research chapter names .001 beside 11.3.3, by which it means
copies that cannot be told.
"""

from dataclasses import dataclass
from typing import Final

from extproc.redteam.attack import Family
from extproc.redteam.report.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Test:
    """A negative test: what is tried, and which rows say how it ended."""

    tried: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    title: str
    asked: str
    tests: tuple[Test, ...]
    not_shown: tuple[str, ...]
    patterns: bool = False
    """Whether it asks for something that looks at how callers ask."""
    response: bool = False
    """Whether it asks for something that acts on suspicion."""


_STUDENTS: Final = Test(
    "Train matched students on the answers of each policy and on unprotected ones: the same "
    "attack, questions and budget.",
    Evidence((Family.COPY, Family.VECTORS), measures=("agreement.task", "cosine")),
)
_SOLVING: Final = Test(
    "Solve for the parameters from scores, and from labels alone.",
    Evidence(
        (Family.COPY,),
        ("equation-solving", "label-boundary", "hop-skip-jump"),
        ("agreement.uniform",),
    ),
)
_SCARCE: Final = Test(
    "Copy without data like the model's own: random, synthetic and foreign inputs, judged on "
    "uniform ones.",
    Evidence((Family.COPY,), measures=("agreement.uniform",)),
)
_HIDDEN: Final = Test(
    "Recover the hidden size and the subspace of a language model through every control of log "
    "probabilities that is let through, under every name of the endpoint.",
    Evidence((Family.LANGUAGE,), measures=("aliases.open", "hidden_size.error", "subspace.energy")),
)
_BITS: Final = Test("Count what one answer can tell.", Evidence(measures=("bits.grid",)))
_MEMBERS: Final = Test(
    "Membership inference from confidence, from right and wrong labels, from how much noise a "
    "label stands, and against shadow models.",
    Evidence(
        (Family.PRIVACY,),
        measures=tuple(
            f"auc.{way}"
            for way in (
                *("gap", "confidence", "highest", "entropy", "shadows", "calibrated"),
                "label_only",
            )
        ),
    ),
)

AISVS: Final = (
    Requirement(
        "C11.3.1",
        "Queries are analysed for signs of extraction (level 1)",
        "How callers ask is looked at, and feeds something that decides whether somebody is "
        "copying the model. A limit on how much anyone may ask is not that.",
        (_STUDENTS,),
        (
            (
                "A detector: there is none in this version. The shipped policies count requests "
                "and queries, and do not look at what is asked."
            ),
            (
                "Tests of the distribution of a caller's queries, likeness of accounts, and "
                "detectors on mixed traffic, which the research chapter asks to see exercised: "
                "there is nothing to exercise."
            ),
            (
                "Counting by address, autonomous system or TLS fingerprint is not tried here: "
                "everything comes from one machine."
            ),
            "Campaigns of hundreds of accounts over weeks; sybils of a few keys are tried.",
        ),
        patterns=True,
    ),
    Requirement(
        "C11.3.2",
        "Answers are no more exact than the risk allows (level 2)",
        "Raw outputs stay behind the backend; what leaves is cut to the risk of extraction, by a "
        "measure of what leaks rather than by taste.",
        (_BITS, _HIDDEN, _SOLVING, _SCARCE, _STUDENTS),
        (
            (
                "That students learn less from text as such: the demo's language model is too "
                "small to be worth distilling, and text passes as it is written."
            ),
            "Reasoning traces: policies withhold them; what a student loses is not measured.",
            (
                "Students of several families of tasks and tokenizers: the victims are those that "
                "are named."
            ),
            (
                "Perturbation that is chosen by a measure of what leaks: fidelities are chosen by "
                "hand, and what they leak is measured afterwards."
            ),
            "Leaks below the API, such as a GPU's electromagnetic field.",
        ),
    ),
    Requirement(
        "C11.3.3",
        "Copies can be told by a watermark or fingerprint (level 3)",
        "Something in the answers survives in a copy, and identifies it.",
        (),
        (
            (
                "There is no watermark in this version, so that there is nothing to remove or to "
                "forge, no verification key and no trigger set. No row of this run bears on it."
            ),
        ),
    ),
    Requirement(
        "C11.3.4",
        "Suspicion has consequences (level 3)",
        "When extraction is suspected, something is done: a challenge, a throttle, coarser "
        "answers, a block; and a record is kept that names whom, what and why.",
        (),
        (
            (
                "What acts here are budgets that are used up, not a suspicion: detection is not "
                "in this version beyond them."
            ),
            "The record of it (the audit log) is not seen from outside.",
            "Challenges by proof of work are not solved by these attackers, who count as refused.",
        ),
        response=True,
    ),
)

ATLAS: Final = (
    Requirement(
        "AML.T0024",
        "Exfiltration through the inference API",
        "An adversary learns something private by asking: about training data, or the model.",
        (_BITS, _MEMBERS, _STUDENTS, _HIDDEN),
        ("What is learnt from logs, backups or the model's files, which no API guards.",),
    ),
    Requirement(
        "AML.T0024.000",
        "Infer training data membership",
        "An adversary finds out whether a record was trained on, from scores or from labels.",
        (_MEMBERS,),
        (
            (
                "How much these models have to tell: a model that has not memorised leaks little "
                "under any policy."
            ),
            (
                "Differential privacy in training is the model owner's: what is declared of it is "
                "held against what membership proves, and nothing more is looked at."
            ),
        ),
    ),
    Requirement(
        "AML.T0024.001",
        "Invert the model",
        "An adversary rebuilds inputs that were trained on, or that a vector was made from.",
        (),
        (
            (
                "No attack of this version rebuilds an input, from scores or from a vector: no row "
                "of this run bears on it."
            ),
            "That less of a vector is told does not show that its text is safe.",
        ),
    ),
    Requirement(
        "AML.T0024.002",
        "Extract the model",
        "An adversary builds a model that does what this one does.",
        (_STUDENTS, _SCARCE, _HIDDEN),
        ("Copies of much larger models: the numbers are of the victims that are named.",),
    ),
)
