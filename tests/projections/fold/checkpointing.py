"""Checkpoints of folds, and folds of checkpoints."""

from farandole.projections.fold import Fold
from farandole.projections.fold.checkpoint import Manifest, Saver, fold_of

CHUNK = 4096
APPEND = b"a" * 16


def saved(fold: Fold, chunk: int = CHUNK) -> tuple[Manifest, dict[bytes, bytes]]:
    """A checkpoint of a fold."""
    saver = Saver(fold, APPEND, chunk)
    while not saver.work(1000):
        pass
    return saver.manifest, dict(saver.take())


def again(fold: Fold) -> Fold:
    """The fold of its checkpoint."""
    return fold_of(*saved(fold))
