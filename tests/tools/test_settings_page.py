"""docs/settings.md says what the table says."""

from tools import make_settings_page


def test_the_page_is_up_to_date() -> None:
    assert make_settings_page.PAGE.read_text("utf-8") == make_settings_page.page()
