"""What the event store's part exports is listed and there."""

import farandole.eventstore as part


def test_the_public_names_exist() -> None:
    assert len(part.__all__) == len(set(part.__all__))
    assert all(hasattr(part, name) for name in part.__all__)


def test_the_interface_and_its_errors_are_public() -> None:
    assert {"EventStore", "Reader", "Ownership", "Table", "Record", "Stored", "Ends", "connect"} <= set(part.__all__)
    errors = {name for name, kind in vars(part.errors).items() if isinstance(kind, type)} - {"FarandoleError"}
    assert errors <= set(part.__all__)
