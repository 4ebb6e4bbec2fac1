"""The one error type that commands show as a sentence instead of a traceback."""


class PolyrouteError(Exception):
    """A mistake in input, data or model that the user can mend; the message says where and how."""


class AnswerError(PolyrouteError):
    """An answer cannot be had, read or scored; the message names the task or file, the language and the item."""
