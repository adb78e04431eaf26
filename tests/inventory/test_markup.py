"""What is put into an element is text."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.inventory.markup import Element, element


def test_strings_are_text_and_elements_are_not() -> None:
    inner = element("b", "<i>&\"'")
    assert inner == "<b>&lt;i&gt;&amp;&quot;&#x27;</b>"
    assert isinstance(inner, Element)
    assert element("p", inner, "<") == f"<p>{inner}&lt;</p>"


def test_attributes_are_escaped_and_named_as_python_lets_them() -> None:
    assert element("p", class_='a" b', aria_label="<x>") == (
        '<p class="a&quot; b" aria-label="&lt;x&gt;"></p>'
    )


def test_some_have_no_end() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


@given(st.text(), st.text())
def test_no_string_opens_a_tag_or_ends_an_attribute(text: str, value: str) -> None:
    made = element("p", text, title=value)
    assert made.count("<") == 2
    assert made.count(">") == 2
    assert made.count('"') == 2
