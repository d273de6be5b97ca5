"""Numbers in running text."""

WORDS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def short(number: float) -> str:
    """Three digits with a letter.

    >>> short(2781983523.6), short(59.9e9), short(500), short(1e15)
    ('2.78B', '59.9B', '500', '1.00e15')
    """
    if abs(number) >= 0.9995e15:
        mantissa, exponent = f"{number:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    for size, letter in WORDS:
        if abs(number) >= size * 0.9995:
            return f"{float(f'{number / size:.3g}'):g}{letter}"
    return f"{float(f'{number:.3g}'):g}"
