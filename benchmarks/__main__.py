"""Run benchmarks one after the other: ``python -m benchmarks [NAME...]``; all without a name.

The exit code is 0 only if every target of every benchmark holds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from benchmarks.common import ROOT

NAMES = (
    "serving",
    "startup",
    "sizes",
    "overhead",
    "local",
    "makespan",
    "scheduling",
    "sharing",
    "resume",
    "faults",
    "replicas",
    "cluster",
    "memory",
    "report",
    "rejection",
    "recovery",
    "adapting",
    "estimate",
    "fuzz",
    "hostile",
    "slow",
    "soak",
)


def main(arguments: Sequence[str]) -> int:
    """Run those named, each in a process of its own; returns the exit code."""
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"unknown benchmark '{unknown[0]}'; allowed: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT).returncode
        for name in arguments or NAMES
    ]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
