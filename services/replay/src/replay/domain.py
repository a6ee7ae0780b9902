"""How fast to send: a rate that gives way to live traffic, and the waits that keep it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

BATCH = 10  # messages of one SendMessageBatch
ROUND = 1_000
"""Most messages between two checkpoints: as many may be sent twice after a crash."""
ROUNDS_A_SECOND = 4
"""So that a pause or a slower rate takes effect at once."""
_GENTLER, _FASTER = 0.5, 1.25
SLOWEST = 1.0

LAG_HORIZON_S = 900
"""A live commit that waits for so long behind the bound was given up, or is mended by hand."""
JUST_NOW_S = 60
"""Within this time of passing the bound a commit says that live falls behind now."""
A_FEW = 10
"""So many old ones may be stuck, each for a reason of its own; more of them are a queue."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for sending less."""

    live_ages_s: tuple[float, ...] = ()
    """Ages of live commits that wait longer than the bound, at most LAG_HORIZON_S longer."""
    backlog: int = 0
    """Messages that wait for the processor."""
    throttled: bool = False
    """DynamoDB has throttled the processor lately."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on the signs count."""

    live_lag_s: float
    backlog: int

    def reason(self, signs: Signs) -> str:
        """Return why to send less, empty if there is nothing."""
        if self._lags(signs.live_ages_s):
            waiting = f"{len(signs.live_ages_s)} commits wait longer than {self.live_lag_s:.0f} s"
            return f"live lags: {waiting}, one for {max(signs.live_ages_s):.0f} s"
        if signs.throttled:
            return "DynamoDB throttles the processor"
        if signs.backlog > self.backlog:
            return f"{signs.backlog} messages wait, more than {self.backlog}"
        return ""

    def _lags(self, ages: Sequence[float]) -> bool:
        """Tell whether live falls behind, rather than leave a few commits lying.

        Where it does, commits pass the bound all the time, or many wait behind it. One that is
        stuck passes it once.
        """
        just_now = self.live_lag_s + JUST_NOW_S
        return len(ages) > A_FEW or any(age <= just_now for age in ages)


def room(bounds: Bounds, signs: Signs) -> int:
    """Return how many messages may be sent until the next look, so that no more wait than may."""
    return max(0, bounds.backlog - signs.backlog)


@dataclass(frozen=True, slots=True)
class Pace:
    """The rate now, below the wanted one while something speaks against it."""

    wanted: float
    now: float
    because: str = ""

    @classmethod
    def of(cls, wanted: float, now: float) -> "Pace":
        """Return the pace to go on with; a new one begins at the wanted rate."""
        return cls(wanted, min(wanted, max(now, SLOWEST)))

    def after(self, reason: str) -> "Pace":
        """Return the next pace: half for a reason, else a quarter more up to the wanted one.

        https://en.wikipedia.org/wiki/Additive_increase/multiplicative_decrease (its relative with
        a multiplicative increase: rates here span four orders of magnitude)
        """
        if reason:
            return replace(self, now=max(SLOWEST, self.now * _GENTLER), because=reason)
        return replace(self, now=min(self.wanted, self.now * _FASTER), because="")

    def held(self) -> "Pace":
        """Return the same pace, while the processor's queue takes no more."""
        return replace(self, because="the processor has as many messages as may wait")

    @property
    def round_size(self) -> int:
        """Messages until the next checkpoint."""
        return max(1, min(ROUND, int(self.now / ROUNDS_A_SECOND)))

    def wait_s(self, sent: int, took_s: float) -> float:
        """Return how long to wait after `sent` messages that took `took_s`."""
        return max(0.0, sent / self.now - took_s)
