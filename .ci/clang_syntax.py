#!/usr/bin/env python3
"""Reads every source with clang, as the release build compiles it: its warnings and the thread safety analysis, no code.

    .ci/clang_syntax.py build/release [PART-OF-A-PATH...]
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

CLANG = ["clang++-14", "-fsyntax-only", "-Wthread-safety", "-Wno-unused-command-line-argument"]


def clang_command(command):
    """The g++ command without ccache, compiler and outputs."""
    words = shlex.split(command)
    first = next(i for i, word in enumerate(words) if os.path.basename(word) in ("g++", "c++", "clang++")) + 1
    kept, skip = [], False
    for word in words[first:]:
        if skip or word in ("-MD", "-c"):
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        else:
            kept.append(word)
    return CLANG + kept


def read(entry):
    return subprocess.run(clang_command(entry["command"]), cwd=entry["directory"], capture_output=True, text=True, check=False)


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
