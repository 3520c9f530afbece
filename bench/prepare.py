#!/usr/bin/env python3
"""How fast is prepare? One hot backup by mariadb-backup, taken under load with much redo in it; equal copies of it prepared in
turns by `mariadb-backup --prepare` (with its default memory, and with --use-memory=4G) and by `redoubt prepare` (its default
memory, journal included). Also: the same bytes for every memory cap and number of threads.

    bench/prepare.py [--redo-mb 900] [--rounds 3]
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess

import common
import load
import realserver
import redoubt

_CAPS = ("32M", "128M", "4G")
_THREADS = (1, 2, 8)


def take(site, config, redo_bytes, folder):
    realserver.Templates(site.folder + ".templates").fill(site, config)
    with realserver.Server(site, config) as server:
        with load.running(server, redo_bytes):
            common.timed([realserver.MARIADB_BACKUP, "--no-defaults", "--backup", f"--target-dir={folder}", f"--datadir={site.data}",
                          f"--socket={server.socket}", "--user=root", "--parallel=2"])
        server.kill()


def fresh(backup, folder):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", backup, folder], check=True)
    common.settle()
    common.warm(folder)
    return folder


def digest(folder):
    """Of all files, by name and content."""
    result = hashlib.sha256()
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            result.update(os.path.relpath(os.path.join(root, name), folder).encode())
            with open(os.path.join(root, name), "rb") as file:
                result.update(hashlib.file_digest(file, "sha256").digest())
    return result.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redo-mb", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    config = realserver.Config(buffer_pool="2G", log_size="3G")
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        backup, folder = scratch.path("backup"), scratch.path("copy")
        take(site, config, options.redo_mb << 20, backup)
        site.remove()
        peer, peer_4g, ours = [], [], []
        report = None
        for _ in range(options.rounds):
            for times, extra in ((peer, []), (peer_4g, ["--use-memory=4G"])):
                fresh(backup, folder)
                times.append(common.timed([realserver.MARIADB_BACKUP, "--prepare", f"--target-dir={folder}", *extra])[0])
            fresh(backup, folder)
            seconds, _, output = common.timed([redoubt.REDOUBT, "prepare", folder, "--json", "--quiet"])
            ours.append(seconds)
            report = json.loads(output)
        digests = {}
        for cap in _CAPS:
            for threads in _THREADS:
                fresh(backup, folder)
                seconds, peak = common.timed_anonymous([redoubt.REDOUBT, "prepare", folder, "--json", "--quiet", "--memory", cap, "--threads", str(threads)])
                digests[digest(folder)] = 1
                print(f"  --memory {cap:>4} --threads {threads}: {seconds:.2f} s, anonymous memory up to {peak / 1024:.0f} MiB", flush=True)
    redo = report["redo"]["bytes"] / 1e6
    print(f"{redo:.0f} MB of redo, {report['redo']['records']} records, {report['pages']['written']} pages written; phases {report['seconds']}, "
          f"{report['redo']['batches']} batches; {len(digests)} different results over {len(_CAPS) * len(_THREADS)} settings (to reach: 1)")
    peer_s = common.line("mariadb-backup --prepare", peer)
    big_s = common.line("mariadb-backup --prepare --use-memory=4G", peer_4g)
    our_s = common.line("redoubt prepare", ours)
    print(f"redo rate against mariadb-backup {peer_s / our_s:.2f} (to reach: 3 or more), against it with 4G {big_s / our_s:.2f} (to reach: 1 or more); "
          f"{redo / our_s:.0f} MB of redo a second")


if __name__ == "__main__":
    main()
