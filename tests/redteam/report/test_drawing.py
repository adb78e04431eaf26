from extproc.redteam.report.drawing import Margins, apart, canvas, svg, writable


def test_an_svg_has_no_date_its_own_ids_and_its_words_as_text() -> None:
    with canvas(2, 1, Margins(0.2, 0.2)) as (figure, axes):
        axes.set_title("$x$")
        text = svg(figure, "name", "<alt>")
    assert text.startswith("<svg")
    assert "$x$" in text
    assert "&lt;alt&gt;" in text
    assert 'id="figure_1"' not in text
    assert "metadata" not in text


def test_labels_are_moved_apart_and_stay_inside() -> None:
    moved = apart([0.5, 0.5, 1.0], 0.1, 0, 1)
    assert moved == [0.5, 0.6, 1.0]
    assert max(apart([1.0, 1.0], 0.1, 0, 1)) == 1.0


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert writable("a\x00b") == "a\ufffdb"
