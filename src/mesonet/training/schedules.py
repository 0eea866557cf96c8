"""How the learning rate falls while a network learns."""

import math

from mesonet.backend import keras
from mesonet.errors import ArgumentError


def decay_schedule(
    lr: float, decay_rate: float, decay_limit: float, epochs: int, samples: int, batch_size: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Staircase exponential decay from ``lr`` towards ``decay_limit`` over the epochs.

    The rate is multiplied by ``decay_rate`` as often as it takes to reach the limit, at equal
    distances: 1e-3, rate 0.1, limit 1e-6, 30 epochs of 16,384 images and batches of 32 make
    three steps, every 10 epochs, which is every 5,120 batches. Steps need not fall between two
    epochs: 4 epochs have theirs after 1 1/3 and 2 2/3, and reach the limit at the end, too.

    Returns:
        The schedule, or ``lr`` itself where no step fits: the limit is not below ``lr``, or the
        rate does not shrink it.

    Raises:
        ValueError: ``lr``, ``decay_rate`` or ``decay_limit`` is not positive.
    """
    if min(lr, decay_rate, decay_limit) <= 0:
        raise ArgumentError("learning rate, decay rate and decay limit must be positive")
    if decay_rate >= 1 or decay_limit >= lr:
        return lr
    num_times = math.floor(math.log(decay_limit / lr, decay_rate) + 1e-9)
    if num_times < 1:
        return lr
    batches = max(samples // batch_size, 1) * epochs
    return keras.optimizers.schedules.ExponentialDecay(
        lr, max(batches // num_times, 1), decay_rate, staircase=True
    )


def cosine_schedule(lr: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise to ``lr`` in the first tenth of the steps, then fall to zero along half a cosine.

    The fall is that of Loshchilov & Hutter, ICLR 2017 (arXiv 1608.03983), without restarts.

    Args:
        lr: the highest learning rate.
        steps: batches of the whole training.
    """
    rising = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        lr / 10, steps - rising, warmup_target=lr, warmup_steps=rising
    )
