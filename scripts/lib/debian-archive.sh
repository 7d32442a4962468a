# shellcheck shell=bash
# A second, private apt: the lists of a newer Debian in a folder of our own, so
# that single packages can be taken from it, verified by apt through Debian's
# keyring, while the system's apt stays as it is. Needs no privileges.
# Sourced after common.sh.

# For those who come after.
# shellcheck disable=SC2034
NEWER_RELEASE=trixie
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# archive_mirrors SUITE: this machine's own mirrors of the archive that has the suite, as apt knows
# them. A wrong guess does no harm: its signature would not fit.
archive_mirrors() {
  local wanted='! /security|backports|debug/'
  case $1 in *-security) wanted='/security/' ;; esac
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 == "main" && $1 ~ /debian/ { sub("/$", "", $1); print $1 }' |
    awk "$wanted"' && !seen[$0]++'
}

# newer_apt STATE COMMAND...: apt-get with the lists kept in STATE. The settings
# are read after the system's own, so that proxies, for instance, still hold.
newer_apt() {
  local state=$1
  shift
  apt-get -q -c "$state/apt.conf" "$@"
}

# newer_apt_update STATE deb|deb-src SUITE: fetches the index of the suite from the first mirror that
# has it; fails when none has.
newer_apt_update() {
  local state=$1 type=$2 suite=$3 mirror
  [ -r "$DEBIAN_KEYRING" ] || die "Debian's keyring is missing: install debian-archive-keyring"
  mkdir -p "$state"/{state,lists/partial,cache/archives/partial}
  : >"$state/status"
  write_apt_settings "$state" >"$state/apt.conf"
  for mirror in $(archive_mirrors "$suite"); do
    say "reading the package index of Debian $suite at $mirror"
    echo "$type [signed-by=$DEBIAN_KEYRING] $mirror $suite main" >"$state/sources.list"
    if newer_apt "$state" update >"$state/update.log" 2>&1; then return 0; fi
    sed 's/^/  /' "$state/update.log" >&2
  done
  say "no mirror that apt knows here gave the package index of Debian $suite"
  return 1
}

write_apt_settings() {
  cat <<END
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$1/state";
Dir::State::Lists "$1/lists";
// The installed packages are none of this apt's business,
Dir::State::status "$1/status";
Dir::Cache "$1/cache";
// and what the system does after an update is not for these lists.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
// Nothing that Debian has not signed, whatever the system allows.
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
END
  # apt's own download user cannot enter root's home; everything fetched is
  # checked against the signed index all the same.
  if is_root; then echo 'APT::Sandbox::User "root";'; fi
}
