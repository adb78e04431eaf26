"""What a dashboard's expressions are of."""

from tests.k8s.promql import Selector, grouped, selectors

EXPRESSION = (
    'sum by (namespace, pod) (rate(a_total{code=~"x|y", pod!="{"}[5m]))'
    " / on (pod) group_left () b unless c offset 10m > 1.5 or 0 * count(d)"
)


def test_series_are_told_with_the_labels_that_choose_them() -> None:
    assert [*selectors(EXPRESSION)] == [
        Selector("a_total", frozenset({"code", "pod"})),
        *(Selector(name, frozenset()) for name in "bcd"),
    ]


def test_labels_of_grouping_and_matching_are_told() -> None:
    assert grouped(EXPRESSION) == {"namespace", "pod"}
