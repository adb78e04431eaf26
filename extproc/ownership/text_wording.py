"""What a report of texts says, in words: the same in a terminal and on a page."""

from extproc.ownership.text_judging import TextJudged
from extproc.ownership.text_report import TextReport
from extproc.ownership.wording import chance, plain


def verdict(report: TextReport) -> str:
    """The whole in a sentence."""
    found = report.found
    if found:
        marks = "; ".join(plain(each.name) for each in found)
        return (
            f"They carry the {marks}. By chance texts that know nothing of its key would look so"
            f" with a probability of {chance(found[-1].corrected)}."
        )
    if any(each.verdict == "withheld" for each in report.judged):
        return "No verdict: clean texts carry the same marks, so that they mark nothing."
    return "No evidence in these texts of any mark that was looked for."


def silence(report: TextReport) -> str:
    """What counted against the accusation; empty where nothing did."""
    missing = sum(each.commitments.missing for each in report.judged)
    if not missing:
        return ""
    return f"{missing} entries are committed to and not in the vault: each counts against it."


def shown(judged: TextJudged) -> str:
    """What of the marks stands in the texts."""
    if judged.listed is not None:
        listed = judged.listed
        return f"{listed.green:.1%} of {listed.words} words green, {listed.usual:.1%} usual"
    if judged.references is not None:
        references = judged.references
        return f"{references.found} of {references.known} references"
    return "missing"


def committed(judged: TextJudged) -> str:
    """Where it was committed to, and when that was signed."""
    first = judged.commitments
    return f"{first.signed:%Y-%m-%d}, line {first.line}, {first.first[:16]}"
