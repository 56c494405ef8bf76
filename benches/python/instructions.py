"""Count the instructions of the engine's jobs and compare them with those that are stored.

    make instructions                  counts, compares, fails where a job takes over 5 % more, a special function 1 %
    make instructions ARGS=--store     counts and stores

Counts do not depend on what else the machine does, and hardly on which machine it is. They do depend on the compiler,
so each is stored under compiler, target and kernels; where nothing is stored, and where valgrind is missing, nothing is
compared, and the output says so. Valgrind knows no AVX-512: the kernels are `portable` and `avx2+fma`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MANIFEST = REPOSITORY / "benches" / "engine" / "Cargo.toml"
BASELINE = REPOSITORY / "benches" / "engine" / "instructions.json"
KERNELS = ("portable", "avx2+fma")
# A change of a count by less is not spoken of. One operation more is 1 to 4 % of a function alone, whose count nothing
# else moves, and a tenth of that of a fit.
TOLERANCE = 0.05
TOLERANCE_SPECIAL = 0.01

Counts = dict[str, int]


def build() -> Path:
    """The driver's path."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "benches"
    command = ["cargo", "build", "--quiet", "--release", "--bin", "counts", "--manifest-path", str(MANIFEST)]
    subprocess.run([*command, "--target-dir", str(target)], check=True)
    return target / "release" / "counts"


def jobs(driver: Path) -> list[str]:
    return subprocess.run([driver], check=True, capture_output=True, text=True).stdout.split()


def count(driver: Path, kernels: str, job: str) -> int | None:
    """Instructions of a job; nothing where the processor lacks these kernels."""
    inside = ["--collect-atstart=no", "--toggle-collect=counts::counted*", "--callgrind-out-file=/dev/null"]
    command = ["valgrind", "--tool=callgrind", *inside, str(driver), kernels, job]
    # An empty environment: its size moves the stack, and the stack's place some counts.
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={})
    if done.returncode != 0:
        if "kernels=" in done.stderr and kernels != "portable":
            return None
        raise SystemExit(f"{job} at {kernels} failed under valgrind:\n{done.stderr}")
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if collected is None or collected[1] == "0":
        raise SystemExit(f"valgrind counted nothing of {job} at {kernels}:\n{done.stderr}")
    return int(collected[1])


def key(kernels: str, version: str) -> str:
    """What counts depend on, from the words of `rustc -vV`."""
    words = dict(line.split(": ", 1) for line in version.splitlines() if ": " in line)
    return f"rustc {words['release']}, {words['host']}, {kernels}"


def compare(counted: Counts, stored: Counts) -> tuple[list[str], bool]:
    """A line a job, and whether none is slower than allowed."""
    lines, fine = [], True
    for job, instructions in counted.items():
        if job not in stored:
            lines.append(f"  {job:18} {instructions:13,}  nothing is stored: store it")
            fine = False
            continue
        tolerance = TOLERANCE_SPECIAL if job.startswith("special-") else TOLERANCE
        more, allowed = instructions - stored[job], tolerance * stored[job]
        word = ""
        if more > allowed:
            word, fine = f"  SLOWER by more than {tolerance:.0%}", False
        elif more < -allowed:
            word = "  faster: store it, so that it stays so"
        lines.append(f"  {job:18} {instructions:13,}  {more / stored[job]:+7.2%}{word}")
    return lines, fine


def main(arguments: list[str]) -> int:
    if shutil.which("valgrind") is None:
        print("instructions: not counted, valgrind is not installed")
        return 0
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    stored: dict[str, Counts] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    store = "--store" in arguments
    wanted = [kernels for kernels in KERNELS if store or key(kernels, version) in stored]
    for kernels in KERNELS:
        if kernels not in wanted:
            print(f"instructions: not compared, nothing is stored for {key(kernels, version)} (ARGS=--store stores)")
    if not wanted:
        return 0
    driver, all_fine = build(), True
    for kernels in wanted:
        name = key(kernels, version)
        names = jobs(driver)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(lambda job, kernels=kernels: count(driver, kernels, job), names))
        counted = {
            job: instructions for job, instructions in zip(names, counts, strict=True) if instructions is not None
        }
        if not counted:
            print(f"instructions: not compared, this processor has no {kernels}")
            continue
        lines, fine = compare(counted, stored.get(name, {}))
        print("\n".join([name, *lines]), flush=True)
        all_fine = all_fine and fine
        stored[name] = counted
    if store:
        BASELINE.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
        print(f"stored in {BASELINE.relative_to(REPOSITORY)}")
        return 0
    if not all_fine:
        print("More instructions than are stored: mend it or, if they buy something, ARGS=--store and say what.")
    return 0 if all_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
