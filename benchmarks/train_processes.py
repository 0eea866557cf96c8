"""Training by two processes that share each batch, against one process with two threads.

    python -m benchmarks.train_processes [--architecture meso4] [--size 256] [--images 256]

The two are TensorFlow's ``MultiWorkerMirroredStrategy`` on this machine, with half of the batch and
one thread each; after every batch they add up their gradients. Images are random and in memory, so
that only the network's work counts. Batches of 32; the median of some epochs after the first. The
steps are written out for both, as Keras 3.15's ``fit`` refuses the batches of this strategy.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time

_BATCH = 32
_EPOCHS = 4


def train(architecture: str, size: int, images: int) -> None:
    """Train in this process, as one of two where ``TF_CONFIG`` says so; print images per second."""
    import numpy as np
    import tensorflow as tf

    from mesonet.architectures import create_model
    from mesonet.backend import keras

    shared = "TF_CONFIG" in os.environ
    tf.config.threading.set_intra_op_parallelism_threads(1 if shared else 2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    strategy = (
        tf.distribute.MultiWorkerMirroredStrategy() if shared else tf.distribute.get_strategy()
    )
    source = np.random.default_rng(0).random((images, size, size, 3), np.float32)
    classes = np.arange(images, dtype=np.float32) % 2
    data = tf.data.Dataset.from_tensor_slices((source, classes)).batch(_BATCH, drop_remainder=True)
    with strategy.scope():
        model = create_model(architecture, size=size)
        optimizer = keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)

    def step(pixels: tf.Tensor, labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            errors = keras.losses.binary_crossentropy(labels[:, None], model(pixels, training=True))
            loss = tf.reduce_sum(errors) / _BATCH
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    batches = strategy.experimental_distribute_dataset(data)
    train_step = tf.function(lambda pixels, labels: strategy.run(step, args=(pixels, labels)))
    seconds = []
    for _ in range(_EPOCHS):
        started = time.perf_counter()
        for pixels, labels in batches:
            train_step(pixels, labels)
        seconds.append(time.perf_counter() - started)
    print(images // _BATCH * _BATCH / statistics.median(seconds[1:]))


def run(processes: int, arguments: list[str]) -> float:
    """Images per second of all processes together."""
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in (first, second)]
    children = []
    for index in range(processes):
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
        if processes > 1:
            task = {"type": "worker", "index": index}
            environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
        command = [sys.executable, "-m", "benchmarks.train_processes", "--child", *arguments]
        children.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
    outputs = [child.communicate()[0] for child in children]
    if any(child.returncode for child in children):
        raise SystemExit("a process failed, see above")
    return float(outputs[0].split()[-1])


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="meso4")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        train(options.architecture, options.size, options.images)
        return
    passed = [f"--{name}={getattr(options, name)}" for name in ("architecture", "size", "images")]
    rates = [(run(1, passed), run(2, passed)) for _ in range(options.rounds)]
    for one, two in rates:
        print(f"one process {one:.1f} images/s, two {two:.1f} images/s, {two / one:.2f} x")


if __name__ == "__main__":
    main()
