# shellcheck shell=bash
# A second, private apt: the lists of a newer Debian in a folder of our own, so
# that single packages can be taken from it, verified by apt through Debian's
# keyring, while the system's apt stays as it is. Needs no privileges.
# Sourced after common.sh.

NEWER_RELEASE=trixie
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
DEFAULT_MIRROR=http://deb.debian.org/debian

# The mirrors of this machine's own apt that look like Debian's main archive,
# then the default. A wrong guess does no harm: its signature would not fit.
debian_mirrors() {
  {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
      awk '$2 == "main" && $1 ~ /debian/ && $1 !~ /security|backports|debug/ { sub("/$", "", $1); print $1 }'
    echo "$DEFAULT_MIRROR"
  } | awk '!seen[$0]++'
}

# newer_apt STATE COMMAND...: apt-get with the lists kept in STATE. The settings
# are read after the system's own, so that proxies, for instance, still hold.
newer_apt() {
  local state=$1
  shift
  apt-get -q -c "$state/apt.conf" "$@"
}

# newer_apt_update STATE deb|deb-src: fetches the index, from the first mirror
# that has it.
newer_apt_update() {
  local state=$1 type=$2 mirror
  [ -r "$DEBIAN_KEYRING" ] || die "Debian's keyring is missing: install debian-archive-keyring"
  mkdir -p "$state"/{state,lists/partial,cache/archives/partial}
  : >"$state/status"
  write_apt_settings "$state" >"$state/apt.conf"
  for mirror in $(debian_mirrors); do
    say "reading the package index of Debian $NEWER_RELEASE at $mirror"
    echo "$type [signed-by=$DEBIAN_KEYRING] $mirror $NEWER_RELEASE main" >"$state/sources.list"
    if newer_apt "$state" update >"$state/update.log" 2>&1; then return 0; fi
    sed 's/^/  /' "$state/update.log" >&2
  done
  die "no mirror gave the package index of Debian $NEWER_RELEASE (see above)"
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
