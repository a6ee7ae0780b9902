"""How long to try again before the message goes back to its queue."""

from tenacity.wait import wait_random_exponential

ATTEMPTS = 10
JITTER = wait_random_exponential(multiplier=0.05, max=4)
"""With ATTEMPTS about 7 s on average and 15 s at most, for each call that is refused each time."""
BUNDLE_ATTEMPTS = 6
"""Less than a second on average, because each part of a bundle that fails is tried alone after."""
