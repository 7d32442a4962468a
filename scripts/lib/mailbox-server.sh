# shellcheck shell=bash
# The reference rendezvous server, for tests: the package of a newer Debian,
# unpacked into the cache, run with this system's Twisted and Autobahn.
# Sourced after common.sh and debian-archive.sh.

MAILBOX_SERVER_PACKAGE=python3-magic-wormhole-mailbox-server

# Prints the folder for PYTHONPATH; fetches the package if it is not there.
mailbox_server_path() {
  local cache pattern found
  cache=$(cache_dir)
  pattern="$cache/mailbox-server-$NEWER_RELEASE-*"
  found=$(newest_match "$pattern")
  if [ -z "$found" ]; then
    say "fetching the reference rendezvous server, once"
    make_once mailbox-server "$pattern" fetch_mailbox_server >&2
    found=$(newest_match "$pattern")
  fi
  echo "$found/usr/lib/python3/dist-packages"
}

fetch_mailbox_server() {
  local scratch=$1 package version log=$1/fetch.log
  newer_apt_update "$scratch/apt" deb "$NEWER_RELEASE" || die "cannot fetch $MAILBOX_SERVER_PACKAGE"
  cd "$scratch" || exit
  # apt checks the file against the signed index.
  newer_apt "$scratch/apt" download "$MAILBOX_SERVER_PACKAGE" >"$log" 2>&1 ||
    show_and_die "$log" "cannot fetch $MAILBOX_SERVER_PACKAGE"
  package=$(newest_match "$scratch/${MAILBOX_SERVER_PACKAGE}_*.deb")
  version=$(dpkg-deb -f "$package" Version)
  dpkg-deb -x "$package" "$scratch/result/mailbox-server-$NEWER_RELEASE-$version"
}
