"""Text that a spreadsheet would run as a formula: how to know it, and how to make it harmless in a report."""

# What a spreadsheet may run (OWASP, "CSV Injection"), with the full-width forms that some fold to ASCII.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  the full-width forms are meant
# Spreadsheets drop these before they look at the first character.
_INVISIBLE = " \x00\u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take `text` for a formula and run it.

    >>> is_formula("=1+1"), is_formula(" @SUM(A1)"), is_formula("img-1.jpg")
    (True, True, False)
    """
    # The first character itself may be white space that is dangerous (tab, carriage return).
    return text.startswith(_FORMULA_STARTS) or text.lstrip(_INVISIBLE).startswith(_FORMULA_STARTS)


def neutral(text: str) -> str:
    """`text` with a leading apostrophe if it `is_formula`; for reports, never for files that are read back by name.

    >>> neutral("=1+1"), neutral("n01443537"), neutral(" @SUM(A1)")
    ("'=1+1", 'n01443537', "' @SUM(A1)")
    """
    return f"'{text}" if is_formula(text) else text
