"""Alembic tells of each of its own parts when it is imported, and at each start that nothing is to be done: nobody needs that.
Importing this before it keeps it quiet.
"""

import logging

logging.getLogger("alembic").setLevel(logging.WARNING)
