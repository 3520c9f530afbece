#!/usr/bin/env python3
"""Breaks the code in known ways, one at a time, in a copy of the tree, and demands that the test which guards the
promise fails. A mutation that survives is a promise without a test.

    mutations.py [--only M3] [--folder DIR]      about a minute each; needs a built tree to copy (make build)
"""

import argparse
import os
import shutil
import subprocess
import sys

_ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

# name: (file, text as it is, text as broken, staged test that must fail)
MUTATIONS = {
    "M1 doublewrite copies are not used": (
        "src/recovery/doublewrite.cc", "    for (const std::size_t i : used_) {\n        if (usable(",
        "    for (const std::size_t i : std::vector<std::size_t>()) {\n        if (usable(",
        "Doublewrite.test_torn_pages_are_healed"),
    "M2 a page that fails its checks is taken as it is": (
        "src/recovery/redo_apply.cc", "        if (!state) {\n            return std::move(state.error())",
        "        if (!state && frame.id.page.value == 0xFFFFFFF0) {\n            return std::move(state.error())",
        "Doublewrite.test_damage_without_a_copy_is_named_and_nothing_is_lost"),
    "M3 a file's space id is not compared with the log's": (
        "src/recovery/space_map.cc", "*expected != result.header->id", "*expected == kReservedSpaces",
        "Names.test_wrong_space_id_is_refused_by_name"),
    "M4 files are not compared with the dictionary": (
        "src/verify/verify.cc", "            judge_table(table, files);", "            static_cast<void>(files);",
        "Names.test_swapped_files_are_denied_by_name_after_a_clean_shutdown"),
    "M5 a file that is not there is never made": (
        "src/recovery/space_map.cc", "created != events.end() && has_init_of_first_page(space.id)",
        "created == events.end() && has_init_of_first_page(space.id)",
        "Deferred.test_new_table_is_rebuilt_whatever_its_file_looks_like"),
    "M6 a blank file is taken for any space that ever had its name": (
        "src/recovery/space_map.cc", "!unusable && claims(id, *path)", "!unusable",
        "Deferred.test_blank_file_belongs_to_the_table_that_had_its_name_last"),
    "M7 the new log names no files": (
        "src/recovery/recover.cc", "if (recent && !space.ignored) {", "if (recent && space.ignored) {",
        "Deferred.test_crash_in_the_middle_of_truncate"),
    "M8 logged renames are not done": (
        "src/recovery/recover.cc", "if (!space.ignored && space.rename_to) {", "if (space.ignored && space.rename_to) {",
        "Names.test_rename_logged_but_not_done_is_replayed"),
    "M9 files are not extended": (
        "src/recovery/recover.cc", "} else if (page_count < space.header.size) {", "} else if (page_count == space.header.size + 1) {",
        "Sizes.test_file_that_has_not_grown_yet_is_extended"),
    "M10 truncated undo tablespaces are not shortened": (
        "src/recovery/recover.cc", "if (analysis_->scan.trims.contains(id) &&", "if (!analysis_->scan.trims.contains(id) &&",
        "Sizes.test_undo_truncation_in_the_log"),
    "M11 the server's lock is not taken": (
        "src/recovery/analysis.cc", "RETURN_IF_ERROR(file->lock_exclusive());", "static_cast<void>(file);",
        "Runs.test_directory_in_use_is_refused"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="the first word of a mutation's name")
    parser.add_argument("--folder", default=os.path.join(os.environ.get("TMPDIR", "/tmp"), "redoubt-mutations"))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    subprocess.run(["git", "-C", _ROOT, "worktree", "prune"], check=True)
    subprocess.run(["git", "clone", "-q", _ROOT, options.folder], check=True)
    subprocess.run(["cmake", "--preset", "release"], cwd=options.folder, check=True, stdout=subprocess.DEVNULL)
    killed = survived = 0
    try:
        for name, mutation in MUTATIONS.items():
            if options.only and name.split()[0] != options.only:
                continue
            if _killed(options.folder, name, *mutation):
                killed += 1
            else:
                survived += 1
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    print(f"{killed} passed, {survived} failed")
    return 1 if survived else 0


def _killed(folder, name, path, whole, broken, test):
    """Whether the test notices the mutation."""
    full = os.path.join(folder, path)
    with open(full, encoding="utf-8") as file:
        text = file.read()
    if text.count(whole) != 1:
        print(f"STALE    {name}: {path} has the text {text.count(whole)} times", flush=True)
        return False
    try:
        with open(full, "w", encoding="utf-8") as file:
            file.write(text.replace(whole, broken))
        build = subprocess.run(["cmake", "--build", "--preset", "release", "--target", "redoubt", "compare_datadirs"],
                               cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if build.returncode != 0:
            print(f"STALE    {name}: does not build\n{build.stdout[-1500:]}", flush=True)
            return False
        result = subprocess.run([sys.executable, "tests/interop/staged.py", test], cwd=folder, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        killed = result.returncode == 1
        print(f"{'killed  ' if killed else 'SURVIVED'} {name}: {test}", flush=True)
        return killed
    finally:
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
