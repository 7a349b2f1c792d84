"""What goes wrong in a dashboard.

FarandoleError
└── DashboardError
    ├── DashboardMisconfigured  it must not begin like this; the message says the cure
    └── Problem                 why a request is not answered as it was wanted; it becomes the answer
"""

from farandole.schemas import FarandoleError


class DashboardError(FarandoleError):
    """The root of the errors of dashboards."""


class DashboardMisconfigured(DashboardError):
    """A person must put something right before it begins."""


class Problem(DashboardError):
    """Raise it to answer a request with ``application/problem+json``, or with a page that says the same.

    Attributes:
        status: of HTTP.
        title: what is wrong, the same for all of its kind.
        detail: what is wrong here, without any value that was sent.
        cure: what to do about it.
        more: further members of the answer.
    """

    def __init__(self, status: int, title: str, detail: str, cure: str = "", **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.cure = cure
        self.more = more
