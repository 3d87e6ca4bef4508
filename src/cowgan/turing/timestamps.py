"""Times as they are stored."""

from datetime import datetime

from cowgan.errors import CowganError

_YEARS = range(2, 9999)


def moment(text: str) -> datetime:
    """Return a stored time.

    Parameters
    ----------
    text : str
        ISO 8601 with an offset from UTC.

    Raises
    ------
    CowganError
        It is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CowganError(f"{text!r:.60} is not a time.") from error
    # Without an offset, or at the ends of the calendar, times cannot be compared.
    if found.tzinfo is None or found.year not in _YEARS:
        raise CowganError(f"{text!r:.60} is not a time that can be compared.")
    return found
