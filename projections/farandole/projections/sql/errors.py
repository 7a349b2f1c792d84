"""What goes wrong with a database.

FarandoleError
└── DatabaseError
    ├── DatabaseUnavailable     it cannot be reached, or not now: try again
    ├── DatabaseMisconfigured   a person must put something right
    ├── UnderWay                somebody does just that to the tables
    │   └── ClaimLost           somebody else may, by now: what was claimed for it was lost on the way
    └── Overtaken               somebody else has written, or the database was set back: begin from what it says
"""

from farandole.schemas import FarandoleError


class DatabaseError(FarandoleError):
    """Something about the database that tables are in."""


class DatabaseUnavailable(DatabaseError):
    """It cannot be reached, or did not take what was written: whether it has it is not known until it is asked."""


class DatabaseMisconfigured(DatabaseError):
    """The URL, the rights, or what is in the database is not right; the message says the cure."""


class UnderWay(DatabaseError):
    """Only one may do that to the tables at a time, and somebody does; the message says who, and since when."""


class ClaimLost(UnderWay):
    """The connection that held the claim was cut, or its file was put away: nothing was put in place. Do it again."""


class Overtaken(DatabaseError):
    """The positions in the database are not those that were expected; nothing was written."""
