"""The errors that users of every part can catch, as a tree:

    FarandoleError
    ├── DeclarationError        an event, reactor or choreography is declared wrongly; raised at import or start
    │   └── IncompatibleSchema  an event's schema changed in a way that its recorded events cannot follow
    │       └── RegistryRefused     the schema registry says so
    ├── EncodingError           an event cannot be written as its schema says
    ├── UndecodableValue        recorded bytes cannot be read as the event that they claim to be
    ├── UnreadableHeaders       a record's headers do not fit the grammar of the log protocol
    └── RegistryError           what can go wrong with a schema registry
        ├── RegistryUnavailable     it cannot be reached now; trying again may help
        └── RegistryMisconfigured   its URL, credentials or answers are wrong; says the cure

The parts above add their own branches (``farandole.eventstore.StoreError``, ``farandole.reactors.ClientError``).
"""


class FarandoleError(Exception):
    """The root of all errors that Farandole raises on purpose."""


class DeclarationError(FarandoleError):
    """An event, reactor or choreography is declared wrongly. The message names it and the cure."""


class IncompatibleSchema(DeclarationError):
    """An event's schema changed so that events already recorded, or workers still running, cannot follow."""


class RegistryRefused(IncompatibleSchema):
    """The schema registry takes no such schema under the event's subject. The message names both, and the cure."""


class EncodingError(FarandoleError):
    """An event cannot be written as its schema says."""


class UndecodableValue(FarandoleError):
    """Recorded bytes cannot be read as the event that they claim to be."""


class UnreadableHeaders(FarandoleError):
    """A record's headers do not fit the grammar of the log protocol."""


class RegistryError(FarandoleError):
    """The root of what can go wrong with a schema registry."""


class RegistryUnavailable(RegistryError):
    """The schema registry cannot be reached now; trying again may help."""


class RegistryMisconfigured(RegistryError):
    """The schema registry's URL, the credentials for it, or its answers are wrong. The message says the cure."""
