# shellcheck shell=bash
# The reference rendezvous server, for tests: the package of a newer Debian,
# unpacked into the cache, run with this system's Twisted and Autobahn.
# Sourced after common.sh and debian-archive.sh.

MAILBOX_SERVER_PACKAGE=python3-magic-wormhole-mailbox-server

# mailbox_server_path SUITE: prints the folder for PYTHONPATH; fetches the
# package of that Debian suite (trixie has 0.4.1, sid a newer one) if it is not
# there.
mailbox_server_path() {
  local suite=$1 found
  found=$(mailbox_server_folder "$suite")
  if [ -z "$found" ]; then
    say "fetching the reference rendezvous server of Debian $suite, once"
    MAILBOX_SERVER_SUITE=$suite make_once "mailbox-server-$suite" \
      "$(cache_dir)/mailbox-server-$suite-*" fetch_mailbox_server >&2
    found=$(mailbox_server_folder "$suite")
  fi
  echo "$found/usr/lib/python3/dist-packages"
}

mailbox_server_folder() { newest_match "$(cache_dir)/mailbox-server-$1-*"; }

fetch_mailbox_server() {
  local scratch=$1 suite=$MAILBOX_SERVER_SUITE package version log=$1/fetch.log
  newer_apt_update "$scratch/apt" deb "$suite" || die "cannot fetch $MAILBOX_SERVER_PACKAGE"
  cd "$scratch" || exit
  # apt checks the file against the signed index.
  newer_apt "$scratch/apt" download "$MAILBOX_SERVER_PACKAGE" >"$log" 2>&1 ||
    show_and_die "$log" "cannot fetch $MAILBOX_SERVER_PACKAGE"
  package=$(newest_match "$scratch/${MAILBOX_SERVER_PACKAGE}_*.deb")
  version=$(dpkg-deb -f "$package" Version)
  dpkg-deb -x "$package" "$scratch/result/mailbox-server-$suite-$version"
}
