"""Keeps README.md true: readme_test.py SOURCES PROGRAM. Its commands are run, its C++ is the example's, its failure is a real one.

With LEASECHECK_REWRITE=1 the failure and the C++ are written into README.md anew.
"""
import os
import re
import subprocess
import sys
import tempfile

sources, program = sys.argv[1:]
os.chdir(sources)
with open("README.md", encoding="utf-8") as file:
    readme = file.read()
faults = []


def block_after(heading, language):
    match = re.search(rf"## {heading}.*?```{language}\n(.*?)```", readme, re.DOTALL)
    if not match:
        sys.exit(f"README.md: no {language} block under {heading!r}")
    return match


def run(command, codes, folder=None):
    done = subprocess.run(command, shell=True, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        faults.append(f"{command}\nended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def keep(heading, language, truth):
    """What stands in the block must be the truth; under LEASECHECK_REWRITE it becomes it."""
    global readme
    match = block_after(heading, language)
    if match.group(1) == truth:
        return
    if "LEASECHECK_REWRITE" in os.environ:
        readme = readme[:match.start(1)] + truth + readme[match.end(1):]
    else:
        faults.append(f"README.md, {heading}: the {language} block is not what it should be; LEASECHECK_REWRITE=1 mends it")


show = block_after("What a failure looks like", "sh").group(1).strip()
shown = run(show.replace("scripts/leasecheck", f"'{program}'"), {1})
keep("What a failure looks like", "text", shown[shown.find("FAILURE "):])
with open("examples/my_store_test.cc", encoding="utf-8") as file:
    keep("Check your own store, in C", "cpp", file.read())
with open("examples/queue_backend.py", encoding="utf-8") as file:
    backend_lines = len(file.readlines())
if f"in Python, of {backend_lines} lines" not in readme:
    faults.append(f"README.md: examples/queue_backend.py has {backend_lines} lines")
if "LEASECHECK_REWRITE" in os.environ:
    with open("README.md", "w", encoding="utf-8") as file:
        file.write(readme)

# A check is shortened: it may then be inconclusive, but must not fail. What it writes goes into a folder of its own.
commands = [line for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) for line in block.splitlines() if line]
with tempfile.TemporaryDirectory() as folder:
    for name in ("examples", "traces"):
        os.symlink(os.path.join(sources, name), os.path.join(folder, name))
    for command in commands:
        if command == show:
            continue
        if not os.access(command.split()[0], os.X_OK):
            faults.append(f"{command}: there is no such program")
        elif command.startswith("scripts/leasecheck"):
            short = command.replace("scripts/leasecheck", f"'{program}'").replace("--budget 60s", "")
            runs = any(verb in command for verb in (" check", " coverage"))
            run(short + (" --operations 2000" if runs else ""), {0, 2} if runs else {0}, folder)
        elif command != "scripts/test":  # which runs this
            faults.append(f"{command}: this test does not know how to try it")

if faults:
    sys.exit("\n\n".join(faults))
print(f"{len(commands)} commands, a failure and an example are as README.md has them")
