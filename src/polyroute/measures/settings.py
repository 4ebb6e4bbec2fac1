"""How alignment is measured."""

from pydantic import Field

from polyroute.stats.settings import Intervals


class Align(Intervals):
    """How alignment is measured."""

    shuffles: int = Field(ge=1)
    """Other sentences that each sentence is compared with, to know how near its translation would be by chance."""
