"""Admission settings: section 4."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """The values in force, milliseconds where they are durations."""

    values: dict[str, int] = field(
        default_factory=lambda: {
            "dedup_window": 86_400_000,
            "dedup_most": 1_000_000,
            "settle": 600_000,
            "drain": 100,
            "expire_after": 0,
            "kept": 64,
            "join_most": 10_000,
            "ahead": 604_800_000,
            "depth": 16,
            "lost_most": 10,
            "lease_most": 600_000,
            "once_most": 1_000,
            "schedules_most": 10_000,
        }
    )

    def __getitem__(self, name: str) -> int:
        return self.values[name]
