"""What a signature subscribes to and may return: pure, from annotations to data. The rules are those of `read`."""

from .gives import Member, Outputs
from .parts import Context, Element, Signature, Trigger
from .read import read_signature

__all__ = ["Context", "Element", "Member", "Outputs", "Signature", "Trigger", "read_signature"]
