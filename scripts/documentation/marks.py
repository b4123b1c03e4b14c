"""The parts of pages that scripts write anew, between two marks."""


def replace_between(page: str, begin: str, end: str, text: str) -> str:
    """Return a page with another text between its marks.

    Raises:
        ValueError: The page has no place for it.
    """
    before, begun, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise ValueError(f"the page has no lines {begin} and {end}")
    return f"{before}{begin}\n{text}\n{end}{after}"
