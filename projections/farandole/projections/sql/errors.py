"""What goes wrong with a database.

FarandoleError
└── DatabaseError
    ├── DatabaseUnavailable     it cannot be reached, or not now: try again
    ├── DatabaseMisconfigured   a person must put something right
    ├── UnderWay                somebody does just that to the tables
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


class Overtaken(DatabaseError):
    """The positions in the database are not those that were expected; nothing was written."""
