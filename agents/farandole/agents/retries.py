"""How often a model is called again, by what went wrong."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from pydantic_ai.exceptions import (
    ContentFilterError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    UnexpectedModelBehavior,
    UserError,
)

from farandole.reactors import GiveUp, Retry, RetryAfter

from .errors import ModelMalformed, ModelRefused, ModelRejected, ModelUnreachable, RateLimited

_AGAIN: Final = (408, 409, 425, 429)
"""Of the statuses that blame the request, those that another attempt may cure."""


_PATIENT: Final = Retry(attempts=30, first="5s", most="5m")
_STANDARD: Final = Retry(attempts=10, first="1s", most="2m")


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a model is called again.

    Attributes:
        rate_limit: while the provider wants fewer requests. A wait is never shorter than the provider says.
        transport: while no answer comes, or none of use; also after an error that nobody foresaw.
        malformed: how often in a row it is told that its reply does not fit what it is to give. An answer that cannot
            be read at all is asked for again as often.
        refusal: how often in a row it is asked again after the provider filtered its reply.
    """

    rate_limit: Retry = _PATIENT
    transport: Retry = _STANDARD
    malformed: int = 2
    refusal: int = 1

    def policies(self) -> Sequence[Retry]:
        """For the step that calls the model."""
        return (
            replace(self.rate_limit, on=RateLimited),
            Retry(on=ModelMalformed, attempts=self.malformed + 1, first="1s"),
            Retry(on=ModelRefused, attempts=self.refusal + 1, first="1s"),
            self.transport,
        )


def failure_of(error: Exception, rate_limit: Retry, attempt: int, spread: float) -> Exception:
    """What a failed call of a model is to the step that made it.

    Args:
        attempt: which one it was, from 1.
        spread: from 0 to 1, so that steps which were refused together do not return together.
    """
    match error:
        case FallbackExceptionGroup(exceptions=errors):
            return _soonest([failure_of(each, rate_limit, attempt, spread) for each in errors])
        case ContentFilterError():
            return ModelRefused(str(error))
        case UnexpectedModelBehavior() | ValidationError():
            return ModelMalformed(str(error))
        case ModelQuotaExceededError() | ModelRequestRejectedError() | UserError():
            return ModelRejected(str(error))
        case ModelRateLimitError():
            wait = rate_limit.wait(attempt) * (1 + spread / 2)
            asked = timedelta(seconds=error.retry_after or 0)
            return RateLimited(max(wait, asked), str(error))
        case ModelHTTPError() if error.status_code < 500 and error.status_code not in _AGAIN:
            return ModelRejected(str(error))
        case ModelAPIError() | OSError() | TimeoutError() | asyncio.TimeoutError():
            return ModelUnreachable(str(error) or type(error).__name__)
        case _:
            return error


def _soonest(failures: Sequence[Exception]) -> Exception:
    """What the failures of all models that were tried come to: the one that another attempt may cure first."""
    if all(isinstance(each, GiveUp) for each in failures):
        return ModelRejected("; ".join(map(str, failures)))
    curable = [each for each in failures if not isinstance(each, GiveUp)]
    return min(curable, key=lambda each: each.delay if isinstance(each, RetryAfter) else timedelta(0))
