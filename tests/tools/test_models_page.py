"""docs/models.md says what the cards say."""

from tools import make_models_page


def test_the_page_is_up_to_date() -> None:
    assert make_models_page.PAGE.read_text("utf-8") == make_models_page.page()
