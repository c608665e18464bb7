#!/usr/bin/env python3
"""Reads every source with clang, as the release build compiles it: its warnings and the thread safety analysis.

    .ci/clang_syntax.py build/release [PART-OF-A-PATH...]

Where ccache is installed clang also makes code, unoptimised, though nobody links it: ccache remembers what it made, so that a source
that has not changed is not read again. Without it clang checks the syntax alone.
"""
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys

CLANG = ["clang++-14", "-Wthread-safety", "-Wno-unused-command-line-argument"]
OBJECTS = os.path.abspath(os.path.join(sys.argv[1], "clang"))


def clang_command(command):
    """The g++ command with clang in the place of ccache and compiler, unoptimised, and with an output of its own."""
    words = shlex.split(command)
    first = next(i for i, word in enumerate(words) if os.path.basename(word) in ("g++", "c++", "clang++")) + 1
    kept, skip, output = [], False, ""
    for word in words[first:]:
        if skip:
            output = word if word.endswith(".o") else output
            skip = False
        elif word in ("-MD", "-c") or word.startswith("-O"):
            pass
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        else:
            kept.append(word)
    if shutil.which("ccache") is None:
        return CLANG + ["-fsyntax-only"] + kept
    target = os.path.join(OBJECTS, output)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return ["ccache"] + CLANG + ["-O0", "-c", "-o", target] + kept


def read(entry):
    # Equal sources in another clone need not be read again.
    environment = dict(os.environ, CCACHE_BASEDIR=os.getcwd(), CCACHE_NOHASHDIR="1")
    return subprocess.run(clang_command(entry["command"]), cwd=entry["directory"], capture_output=True, text=True, check=False,
                          env=environment)


with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
    entries = {entry["file"]: entry for entry in json.load(file)}.values()
entries = [entry for entry in entries if not sys.argv[2:] or any(part in entry["file"] for part in sys.argv[2:])]
failed = 0
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for result in pool.map(read, entries):
        sys.stdout.write(result.stderr)
        failed += result.returncode != 0
print(f"clang read {len(entries)} sources, {failed} with errors")
sys.exit(1 if failed or not entries else 0)
