"""The docs page of the cleaning rules is the one that the rules make."""

from pathlib import Path

from bluegreen.exporter.page import PAGE, rules_page


def test_the_page_in_the_docs_is_current():
    written = (Path(__file__).parents[2] / PAGE).read_text(encoding="utf-8")

    assert written == rules_page(), "run: python -m bluegreen.exporter.page"
