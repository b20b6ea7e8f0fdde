# SPDX-License-Identifier: Apache-2.0
"""What tests with several threads share."""

import concurrent.futures
import threading

THREADS = 8


def together(work):
    """Run work(number) in eight threads that start at once; give their results."""
    barrier = threading.Barrier(THREADS)

    def start(number):
        barrier.wait(60)
        return work(number)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(start, range(THREADS)))
