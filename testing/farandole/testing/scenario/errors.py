"""What keeps a scenario from going on, as a tree:

FarandoleError
└── ScenarioError   the test asks for what cannot be
    └── NotAtRest   something goes on and on: a handler, or reactors that feed each other
"""

from farandole.schemas.errors import FarandoleError


class ScenarioError(FarandoleError):
    """The test asks for what cannot be. The message says why."""


class NotAtRest(ScenarioError):
    """Something goes on and on: a handler that does not end, or reactors that feed each other for ever."""
