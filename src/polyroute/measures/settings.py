"""How alignment is measured."""

from pydantic import Field

from polyroute.ground.frozen import Frozen


class Align(Frozen):
    """How alignment is measured."""

    shuffles: int = Field(ge=1)
    """Other sentences that each sentence is compared with, to know how near its translation would be by chance."""
