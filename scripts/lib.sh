# What the scripts share. Source it: . "$(dirname "$0")/lib.sh"
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The packages of the named parts of scripts/packages.
packages_of() {
  awk -v parts=" $* " '/^# [a-z]+$/ {part = $2; next} /^#|^$/ {next} index(parts, " " part " ") {print $1}' "$top/scripts/packages"
}

missing_packages() {
  local package
  for package in $(packages_of "$@"); do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

# Installs what is missing of the named parts, and says so first. Without root it prints the one command and exits 2.
install_packages() {
  local missing
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    {
      echo "These Debian packages are missing. Run this as root, then try again:"
      echo "  apt-get install $missing"
    } >&2
    exit 2
  fi
  echo "Installing the Debian packages that are missing: $missing" >&2
  local log
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  if ! { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed; the whole log is $log." >&2
    exit 2
  fi
  rm -f "$log"
}

# Configures a preset where that was not done, and builds targets of it: build PRESET TARGET... Quiet where nothing is to do; else
# ninja's one line of progress on a terminal. What the compiler says is shown where the build fails.
build() {
  local preset=$1 log
  shift
  log=$top/build/$preset.log
  mkdir -p "$top/build"
  if [ ! -e "$top/build/$preset/build.ninja" ]; then
    echo "Configuring build/$preset." >&2
    if ! (cd "$top" && cmake --preset "$preset") >"$log" 2>&1 </dev/null; then
      cat "$log" >&2
      echo "The configuration failed; it is also in $log." >&2
      exit 2
    fi
  fi
  if [ -t 2 ]; then
    NINJA_STATUS='[%f/%t, %e s] ' ninja -C "$top/build/$preset" "$@" --quiet >&2 </dev/null || exit 2
    return 0
  fi
  if ! ninja -C "$top/build/$preset" -n "$@" 2>/dev/null </dev/null | grep -q 'no work to do'; then
    echo "Building build/$preset; this takes some minutes the first time." >&2
    if ! ninja -C "$top/build/$preset" "$@" >"$log" 2>&1 </dev/null; then
      grep -vE '^\[[0-9]+/[0-9]+\]' "$log" >&2
      echo "The build failed; it is also in $log." >&2
      exit 2
    fi
  fi
}
