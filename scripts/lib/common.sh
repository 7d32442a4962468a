# shellcheck shell=bash
# What every script here needs: where the tree is, where the cache is, how to
# speak and how to fail. Sourced, never run.

# A failure inside $(...) is a failure.
shopt -s inherit_errexit

PEERSOCK_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# show_and_die LOG MESSAGE: the end of a log, if there is one yet, then the reason to stop.
show_and_die() {
  local log=$1
  shift
  [ -s "$log" ] || die "$@"
  tail -n 30 "$log" | sed 's/^/  /' >&2
  die "$* (the end of the log is above)"
}

# usage SCRIPT: the comment at the top of a script is its help.
usage() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$1"; }

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

in_ci() { [ "${CI:-}" = true ]; }

# The folder for what is made once and kept outside the build folder. HOME may
# be unset (services, CI) or useless (a system user); then the tree's own
# ignored .cache folder does.
cache_dir() {
  local home dir
  if [ -n "${PEERSOCK_CACHE:-}" ]; then
    dir=$PEERSOCK_CACHE
  elif [ -n "${XDG_CACHE_HOME:-}" ]; then
    dir=$XDG_CACHE_HOME/peersock
  else
    home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
    if [ -n "$home" ] && [ -d "$home" ] && [ -w "$home" ]; then
      dir=$home/.cache/peersock
    else
      dir=$PEERSOCK_ROOT/.cache/peersock
    fi
  fi
  mkdir -p "$dir" || die "cannot make the cache folder $dir (PEERSOCK_CACHE names another)"
  # Absolute and free of links: it ends up in compiler flags.
  (cd "$dir" && pwd -P)
}

# The newest path that matches a pattern, or nothing.
newest_match() { compgen -G "$1" | sort -V | tail -n 1 || true; }

# make_once WHAT PATTERN FUNCTION: unless a folder matches PATTERN, calls
# FUNCTION SCRATCH HOME, which must leave one folder in SCRATCH/result under its
# final name; that is moved beside PATTERN in one step. Whoever comes second
# waits for the first; who is interrupted leaves nothing that looks finished.
make_once() (
  what=$1 pattern=$2 function=$3
  home=$(dirname "$pattern")
  exec 9>"$home/.$what.lock"
  if ! flock -n 9; then
    say "waiting for another process that is making $what"
    flock 9
  fi
  [ -z "$(newest_match "$pattern")" ] || exit 0
  rm -rf "$home/.making-$what".*
  scratch=$(mktemp -d "$home/.making-$what.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT TERM HUP
  mkdir "$scratch/result"
  # Children must not inherit the lock (a compiler cache may leave a server).
  "$function" "$scratch" "$home" 9>&-
  mv -T "$scratch/result"/* "$home/$(basename "$scratch/result"/*)"
  [ -n "$(newest_match "$pattern")" ] || die "$what was made, but not as $pattern"
)
