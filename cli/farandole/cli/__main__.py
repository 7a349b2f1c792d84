"""``python -m farandole.cli``."""

import sys

from .entry import main

sys.exit(main())
