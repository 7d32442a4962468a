# shellcheck shell=bash
# A second magic-wormhole client, for tests: Debian 12 has 0.12 and Debian 13 has 0.18, and a
# rendezvous server meets both. The version that this system does not have is taken from the other
# release, unpacked into the cache, and run with this system's Python and Twisted.
# Sourced after common.sh, debian-archive.sh and packages.sh.

# What the other version needs beside this release's packages (PACKAGES_TEST).
OTHER_WORMHOLE_TRIXIE=(magic-wormhole python3-iterable-io python3-zipstream-ng)
OTHER_WORMHOLE_BOOKWORM=(magic-wormhole python3-hkdf python3-attr)

# The release that has the version which this one has not.
other_wormhole_release() {
  local version
  version=$(dpkg-query -W -f '${Version}' magic-wormhole 2>/dev/null || candidate_of magic-wormhole)
  if dpkg --compare-versions "$version" lt 0.18; then echo trixie; else echo bookworm; fi
}

# Prints the folder for PYTHONPATH, in which `python3 -m wormhole` is the other version; fetches the
# packages if they are not there.
other_wormhole_path() {
  local cache release pattern found
  cache=$(cache_dir)
  release=$(other_wormhole_release)
  pattern="$cache/magic-wormhole-$release-*"
  found=$(newest_match "$pattern")
  if [ -z "$found" ]; then
    say "fetching the magic-wormhole of Debian $release, once"
    make_once "magic-wormhole-$release" "$pattern" "fetch_wormhole_$release" >&2
    found=$(newest_match "$pattern")
  fi
  echo "$found/usr/lib/python3/dist-packages"
}

fetch_wormhole_trixie() { fetch_wormhole "$1" trixie "${OTHER_WORMHOLE_TRIXIE[@]}"; }
fetch_wormhole_bookworm() { fetch_wormhole "$1" bookworm "${OTHER_WORMHOLE_BOOKWORM[@]}"; }

# fetch_wormhole SCRATCH RELEASE PACKAGES...
fetch_wormhole() {
  local scratch=$1 release=$2 version package
  local log=$scratch/fetch.log tree=$scratch/tree
  shift 2
  newer_apt_update "$scratch/apt" deb "$release" || die "cannot fetch magic-wormhole"
  cd "$scratch" || exit
  # apt checks the files against the signed index.
  newer_apt "$scratch/apt" download "$@" >"$log" 2>&1 || show_and_die "$log" "cannot fetch $*"
  version=$(dpkg-deb -f "$(newest_match "$scratch/magic-wormhole_*.deb")" Version)
  for package in "$scratch"/*.deb; do dpkg-deb -x "$package" "$tree"; done
  mv -T "$tree" "$scratch/result/magic-wormhole-$release-$version"
}
