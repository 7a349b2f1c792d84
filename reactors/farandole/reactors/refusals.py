"""Why a run did not take what it was sent, in words."""

from typing import Final

from farandole.projections.fold import Verdict

STANDS: Final = {"pause": "it is paused already", "resume": "it is not paused"}
"""Why a command changes nothing."""
WHY: Final = {
    Verdict.NO_RUN: "there is no such open run: it was never started, or it is closed",
    Verdict.RUN_ENDING: "it has its result already",
    Verdict.TOO_LATE: "it came to the log after the time within which it may act",
    Verdict.TOO_FAR: "the time within which it may act is longer than the log allows (a week)",
    Verdict.REPEATED: "it was taken before, or this person has answered",
    Verdict.NOT_PARKED: "that step is not parked: somebody else retried it, or it is done",
    Verdict.MISROUTED: "it was sent to the wrong partition",
    Verdict.NOT_PENDING: "it waits for that no longer, or never did",
    Verdict.OTHER_SUBJECT: "what is decided on is something else by now; look at it again",
    Verdict.NOT_OFFERED: "that answer is not among those to choose from",
}
