#!/bin/sh
# Installs the build into a folder of its own, builds another project against it, and runs that. Arguments: sources, build, flags.
set -eu
sources=$1
build=$2
flags=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/log" || { cat "$work/log"; exit 1; }
"$work/prefix/bin/leasecheck" --help >/dev/null
cmake -G Ninja -S "$sources/tests/house/install" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_FLAGS="$flags" -DEXAMPLE="$sources/examples/my_store_test.cc"
cmake --build "$work/build"
"$work/build/my_store_test"
