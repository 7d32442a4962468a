# shellcheck shell=bash
# Which Debian packages are needed for what, and how they get here.
# Sourced after common.sh, openssl.sh and ngtcp2.sh.
#
# A name that ends in "?" is wanted only where the release has it; a|b is the
# first of the two that the release has.

PACKAGES_BUILD=(
  g++ meson ninja-build pkgconf
  libglib2.0-dev libnice-dev libsoup-3.0-dev glib-networking ca-certificates
  libotr5-dev libgcrypt20-dev libsodium-dev libsqlite3-dev
  nlohmann-json3-dev libfmt-dev libexpected-dev libcli11-dev
)

# For the unit and integration tests, which are built like the rest.
PACKAGES_UNIT=(libgtest-dev libgmock-dev librapidcheck-dev)

# What the OpenSSL of a newer Debian is built with, where the system's is too old.
PACKAGES_OPENSSL=(dpkg-dev make perl)

# The ngtcp2 that fits, where the release has it, and what our own is built with otherwise.
PACKAGES_NGTCP2_SYSTEM=(libngtcp2-dev libngtcp2-crypto-ossl-dev)
PACKAGES_NGTCP2=(dpkg-dev make)

PACKAGES_DEMO=(python3)

# The simulated networks of sim/.
PACKAGES_SIM=(libns3-dev)

PACKAGES_TEST=(
  git python3 python3-pytest python3-pytest-timeout
  # Reference peers and servers.
  coturn magic-wormhole python3-spake2 python3-nacl
  python3-twisted python3-autobahn python3-attr python3-openssl
  # Clients of the rendezvous, and what the magic-wormhole of the other release needs.
  wormhole-william magic-wormhole-transit-relay python3-qrcode python3-six
  # What people tunnel, and what they would use instead.
  curl socat openssh-client openssh-server openssl
  # systemd-analyze, which checks the unit.
  systemd
  # Networks in a box.
  iproute2 nftables procps
  # Looks at the page of the NAT matrix.
  chromium
  # Checks. The layout of the source is defined by one version of clang-format,
  # and clang-tidy's opinions too.
  clang-format-14? clang-tidy-14? shellcheck
)

# Packages that bring a service, and its name: installed for their programs
# only, so the service is neither started nor enabled.
SERVICES=(coturn:coturn openssh-server:ssh)

# The version that apt would install; empty when apt does not know the package.
candidate_of() { candidates "$1" | cut -d ' ' -f 2; }

# candidates NAME...: those that apt knows, with the version that it would install, one a line.
# One call for all, because apt reads its whole cache for each.
candidates() {
  LC_ALL=C apt-cache policy "$@" 2>/dev/null |
    awk '/^[^ ]/ { sub(":$", ""); name = $0 } $1 == "Candidate:" && $2 != "(none)" { print name, $2 }'
}

# missing_packages SET...: prints what is not installed, one name a line.
missing_packages() {
  local set wanted installed absent known name
  wanted=$(for set in "$@"; do
    case $set in
      build) printf '%s\n' "${PACKAGES_BUILD[@]}" && openssl_packages && ngtcp2_packages ;;
      unit) printf '%s\n' "${PACKAGES_UNIT[@]}" ;;
      test) printf '%s\n' "${PACKAGES_TEST[@]}" ;;
      demo) printf '%s\n' "${PACKAGES_DEMO[@]}" ;;
      sim) printf '%s\n' "${PACKAGES_SIM[@]}" ;;
      *) die "there is no package set '$set'" ;;
    esac
  done | sort -u)
  # One look at dpkg's list, because this runs before everything else.
  # shellcheck disable=SC2016
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | awk '$1 == "installed" { print $2 }')
  absent=$(for name in $wanted; do
    any_listed "$name" "$installed" >/dev/null || echo "$name"
  done)
  [ -n "$absent" ] || return 0
  # shellcheck disable=SC2046
  known=$(candidates $(tr '|?' ' ' <<<"$absent") | cut -d ' ' -f 1)
  for name in $absent; do
    # Unknown here, maybe because apt's lists are empty: name it, unless optional.
    any_listed "$name" "$known" || case $name in *\?) ;; *) echo "${name%%|*}" ;; esac
  done
}

# any_listed WANTED LIST: prints the first alternative of WANTED that is in LIST; fails if none is.
any_listed() {
  local alternatives=${1%\?} alternative
  for alternative in ${alternatives//|/ }; do
    if grep -qxF -- "$alternative" <<<"$2"; then
      echo "$alternative"
      return 0
    fi
  done
  return 1
}

openssl_packages() {
  local candidate
  if openssl_is_here; then return 0; fi
  candidate=$(candidate_of libssl-dev)
  if [ -z "$candidate" ]; then
    # apt's lists are empty: whichever way it will be, this is enough.
    printf '%s\n' libssl-dev "${PACKAGES_OPENSSL[@]}"
  elif dpkg --compare-versions "$candidate" ge "$OPENSSL_WANTED"; then
    echo libssl-dev
  else
    printf '%s\n' "${PACKAGES_OPENSSL[@]}"
  fi
}

ngtcp2_packages() {
  local candidate
  if ngtcp2_is_here; then return 0; fi
  candidate=$(candidate_of libngtcp2-crypto-ossl-dev)
  if [ -n "$candidate" ] && dpkg --compare-versions "$candidate" ge "$NGTCP2_CORRECT"; then
    printf '%s\n' "${PACKAGES_NGTCP2_SYSTEM[@]}"
  else
    printf '%s\n' "${PACKAGES_NGTCP2[@]}"
  fi
}

# require_packages SET...: installs what is missing (root), or says what it is
# and exits 2 (everybody else).
require_packages() {
  local missing
  if ! have dpkg-query || ! have apt-get; then
    die "this is not Debian: the packages to look for are listed in scripts/lib/packages.sh"
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if ! is_root; then
    say "$(wc -w <<<"$missing") packages are missing; to install them:"
    echo "sudo apt-get update && sudo apt-get install --no-install-recommends ${missing//$'\n'/ }" >&2
    exit 2
  fi
  say "reading the package lists"
  run_quietly apt-get -q update || say "apt-get update failed; going on with the lists that are here"
  # Only now is it known which names this release has.
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  say "installing ${missing//$'\n'/ }"
  # shellcheck disable=SC2086
  install_without_services $missing
}

install_without_services() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1
  run_quietly apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
    install --no-install-recommends "$@" || die "apt-get could not install: $*"
  for entry in "${SERVICES[@]}"; do
    case " $* " in
      *" ${entry%%:*} "*) run_quietly update-rc.d "${entry#*:}" disable || true ;;
    esac
  done
)

# Shows the output only when the command fails.
run_quietly() {
  local output status=0
  output=$("$@" 2>&1 </dev/null) || status=$?
  if [ "$status" -ne 0 ]; then tail -n 30 <<<"$output" | sed 's/^/  /' >&2; fi
  return "$status"
}
