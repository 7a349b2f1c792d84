"""What records of children and messages say in ``extra``, for tests: section 16 of the protocol."""


def u8s(value: bytes) -> bytes:
    """Bytes behind their length."""
    return bytes([len(value)]) + value


def a_sender(key: bytes = b"p", *, depth: int = 1, offset: int = 0, flags: int = 0, choreography: bytes = b"") -> bytes:
    """Who sends a start or a cancel."""
    return bytes([1, flags]) + depth.to_bytes(2, "big") + offset.to_bytes(8, "big") + u8s(choreography) + key


def some_news(name: bytes, *, n: int = 2, flags: int = 0, offset: int = 0, run_id: bytes = b"child") -> bytes:
    """What becomes of a child."""
    head = bytes([1, flags]) + n.to_bytes(4, "big") + offset.to_bytes(8, "big")
    return head + u8s(b"") + len(run_id).to_bytes(2, "big") + run_id + u8s(b"e") + name


def a_child(name: bytes, *, detach: int = 0, run_id: bytes = b"", choreography: bytes = b"") -> bytes:
    """What an outcome says of a child."""
    return bytes([detach]) + u8s(choreography) + u8s(run_id) + name


def a_tick(ms: int, name: bytes = b"t.A", *, overlap: int = 0) -> bytes:
    """What a tick of a schedule says."""
    return ms.to_bytes(8, "big") + bytes([overlap]) + name
