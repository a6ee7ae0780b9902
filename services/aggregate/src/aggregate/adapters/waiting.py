"""How long to try again before the message goes back to its queue."""

from tenacity.wait import wait_random_exponential

ATTEMPTS = 8
JITTER = wait_random_exponential(multiplier=0.05, max=4)
"""With ATTEMPTS about 3 s on average and 6 s at most, for each call that is refused each time: ten
parts that are refused for ever, one after the other, end within the function's timeout of 60 s."""
BUNDLE_ATTEMPTS = 6
"""Less than a second on average, because each part of a bundle that fails is tried alone after."""
