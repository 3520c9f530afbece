#!/usr/bin/env python3
"""Random bytes in random places of all files: verify and recover must end in bounded time, with an
exit code of the command line's contract, and without a sanitizer's report.

    corruptions.py --count 300 --seed 1     REDOUBT names the (sanitized) binary

What they find is not judged here: damage.py does that with damage that is known.
"""

import argparse
import os
import random
import sys

import damage_cases
import realserver
import redoubt
import staging
import surgery
import victim
import workload

_CTEST_SKIP = 77
_TIMEOUT_S = 60
_CODES = {redoubt.OK, redoubt.WARNINGS, redoubt.DAMAGE, redoubt.IO, redoubt.REFUSED, redoubt.KEY,
          redoubt.UNSUPPORTED}
_LOG_CHANGED = 1 << 20  # bytes from the checkpoint on that a corruption of the log falls into


def _crashed(config):
    """A victim whose server was killed at work, so that redo is applied too."""
    v = victim.Victim(config, "crashed-")
    realserver.Templates(staging.scratch().path("templates")).fill(v.site, config)
    with realserver.Server(v.site, config) as server:
        workload.Workload(server, config, seed=1).run(seconds=1, then=server.kill)
    v.put_aside()
    return v


def _stopped(config):
    v = victim.Victim(config)
    v.make()
    return v


def _corrupt(v, chance):
    """Changes one to four places of up to three files; says what was done."""
    done = []
    for _ in range(chance.randrange(1, 4)):
        file = chance.choice(surgery.data_files(v.data) + ["ib_logfile0"] * 3)
        path = v.path(file)
        size = os.path.getsize(path)
        if chance.random() < 0.05:
            os.truncate(path, chance.randrange(size + 1))
            done.append(f"{file} cut to {os.path.getsize(path)}")
            continue
        for _ in range(chance.randrange(1, 5)):
            at = _offset(v, file, size, chance)
            length = chance.choice([1, 1, 2, 4, 8, 64, 4096])
            data = chance.choice([bytes(length), b"\xff" * length, chance.randbytes(length)])
            surgery.write(path, at, data[:max(size - at, 0)])
            done.append(f"{file} at {at}: {length} bytes")
    return done


def _offset(v, file, size, chance):
    """Mostly where structures are: the log's header and newest records, first pages of files."""
    if file == "ib_logfile0":
        if chance.random() < 0.3:
            return chance.randrange(12288)
        try:
            head = surgery.log_head(v.data)
            return min(head.offset(head.checkpoint) + chance.randrange(_LOG_CHANGED), size)
        except ValueError:  # its checkpoints are damaged already
            return chance.randrange(size + 1)
    if chance.random() < 0.6:
        return chance.randrange(min(size + 1, 10 * v.page_size))
    return chance.randrange(size + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    victims = [make(config) for config in damage_cases.CONFIGS for make in (_stopped, _crashed)]
    failures = 0
    codes = {}
    for number in range(arguments.seed, arguments.seed + arguments.count):
        chance = random.Random(number)
        v = victims[number % len(victims)]
        v.begin()
        done = _corrupt(v, chance)
        for name in ("verify", "recover"):
            answer = redoubt.run(redoubt.command(name, v.data, site=v.site, config=v.config),
                                 _TIMEOUT_S)
            codes[name, answer.code] = codes.get((name, answer.code), 0) + 1
            if answer.code not in _CODES or answer.document is None or \
                    "runtime error" in answer.text or "Sanitizer" in answer.text:
                failures += 1
                print(f"FAILED: seed {number}: {v.site.folder}: {name} ended with {answer.code}"
                      f" after {done}\n{realserver.tail(answer.text, 40)}", flush=True)
    print("exit codes:", ", ".join(f"{name} {code}: {count}"
                                   for (name, code), count in sorted(codes.items())))
    print(f"{2 * arguments.count - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
