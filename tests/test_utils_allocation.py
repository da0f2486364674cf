"""Freed memory stays with the process, by glibc's count of page faults."""

import platform
import subprocess
import sys

import pytest

ROUNDS, TENSORS, SIZE = 20, 5, 3  # MiB each: together more than glibc is wont to keep
PROGRAM = f"""
import resource
import torch
from deepdensity.utils.allocation import keep_freed_memory

def make_and_free():
    return [torch.ones(2**18 * {SIZE}) for _ in range({TENSORS})] and None

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

torch.set_num_threads(1)
keep_freed_memory()
make_and_free()
before = faults()
for _ in range({ROUNDS}):
    make_and_free()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what glibc does")
@pytest.mark.parametrize("run", range(3))  # a heap is luckily laid out now and then
def test_pages_are_not_asked_for_anew(run):
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pages = ROUNDS * TENSORS * SIZE * 2**20 // 4096
    assert int(done.stdout) < pages / 20
