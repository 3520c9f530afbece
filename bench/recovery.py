#!/usr/bin/env python3
"""How fast is recovery? One killed server's directory, recovered in turns by mariadbd (from start until its pages are on
disk: start and clean shutdown), by `redoubt recover` with the same memory, and by the floor: merely reading the
log and the touched files once and writing the recovered pages once. The files are not in the page cache, as a killed
server leaves them (it reads and writes past it); --warm has them all there.

    bench/recovery.py [--redo-mb 300] [--memory 128M] [--rounds 3] [--warm]
"""

import argparse
import json
import os
import time

import common
import load
import realserver
import redoubt


def crash(site, config, redo_bytes):
    """A server killed with at least that much redo behind its checkpoint."""
    realserver.Templates(site.folder + ".templates").fill(site, config)
    with realserver.Server(site, config) as server:
        with load.running(server, redo_bytes):
            pass
        server.kill()


def floor(site, written_bytes, redo_bytes):
    """Reads the redo and each file that recovery changes, writes as many bytes as it wrote, syncs."""
    begun = time.monotonic()
    with open(os.path.join(site.data, "ib_logfile0"), "rb", buffering=0) as log:
        left = redo_bytes
        while left > 0:
            left -= len(log.read(min(left, 1 << 20))) or left
    for root, _, names in os.walk(site.data):
        for name in names:
            if name.endswith(".ibd") and f"{os.sep}b{os.sep}" in os.path.join(root, name) or name.startswith("ibdata"):
                with open(os.path.join(root, name), "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass
    block = os.urandom(1 << 20)
    with open(os.path.join(site.folder, "floor"), "wb", buffering=0) as file:
        for _ in range(written_bytes >> 20):
            file.write(block)
        os.fsync(file.fileno())
    os.unlink(os.path.join(site.folder, "floor"))
    return time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--redo-mb", type=int, default=300)
    parser.add_argument("--memory", default="128M")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm", action="store_true")
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    config = realserver.Config(buffer_pool="1G")
    again = realserver.Config(buffer_pool=options.memory)
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        crash(site, config, options.redo_mb << 20)
        crashed = site.move_to(scratch.path("crashed"))
        prepare = common.warm if options.warm else common.cool
        server_times, our_times, floor_times, memory = [], [], [], []
        report = None
        for _ in range(options.rounds):
            site.bring(crashed.folder)
            prepare(site.data)
            common.settle()
            begun = time.monotonic()
            with realserver.Server(site, again) as server:
                server.shut_down()
            server_times.append(time.monotonic() - begun)

            site.bring(crashed.folder)
            prepare(site.data)
            common.settle()
            seconds, _, output = common.timed([redoubt.REDOUBT, "recover", site.data, "--json", "--quiet", "--memory", options.memory])
            our_times.append(seconds)
            report = json.loads(output)

            site.bring(crashed.folder)
            prepare(site.data)
            common.settle()
            floor_times.append(floor(site, report["bytes_written"], report["redo"]["bytes"]))
        site.bring(crashed.folder)
        memory.append(common.timed_anonymous([redoubt.REDOUBT, "recover", site.data, "--json", "--quiet", "--memory", options.memory])[1] / 1024)
    redo = report["redo"]["bytes"] / 1e6
    print(f"{redo:.0f} MB of redo, {report['redo']['records']} records, {report['pages']['written']} pages written "
          f"({report['bytes_written'] / 1e6:.0f} MB), memory {options.memory}, {'warm' if options.warm else 'cold'}; phases {report['seconds']}, {report['redo']['batches']} batches")
    server_s = common.line("mariadbd: start, recovery, clean shutdown", server_times)
    our_s = common.line("redoubt recover", our_times)
    floor_s = common.line("floor: read log and files, write pages", floor_times)
    common.line("redoubt recover, peak of anonymous memory", memory, "MiB")
    print(f"redoubt/mariadbd {our_s / server_s:.2f} (to reach: 0.50 or less)   redoubt/floor {our_s / floor_s:.2f} (to reach: 2 or less)   {redo / our_s:.0f} MB of redo a second")


if __name__ == "__main__":
    main()
