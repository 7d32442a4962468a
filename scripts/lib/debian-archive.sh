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

# debian_source SCRATCH LOG PACKAGE SUITE...: unpacks the package's source into SCRATCH/source and
# prints its version.
#
# Mirrors sometimes lack single files of source packages. Then another suite will do, and after
# that the upstream archive alone, which Debian has signed in the same index: it has everything but
# Debian's own patches.
debian_source() {
  local scratch=$1 log=$2 package=$3 suite files description archive
  shift 3
  for files in whole tar-only; do
    for suite in "$@"; do
      newer_apt_update "$scratch/apt-$suite" deb-src "$suite" || continue
      rm -rf "$scratch/source" "$scratch/${package}"_*
      if [ "$files" = whole ]; then
        newer_apt "$scratch/apt-$suite" source --download-only "$package" >>"$log" 2>&1 || continue
        # apt has checked every file against the signed index; the uploader's own
        # signature, for which a fresh system has no key, adds nothing.
        description=$(newest_match "$scratch/${package}_*.dsc")
        dpkg-source --no-check -x "$description" "$scratch/source" >>"$log" 2>&1 || continue
        dpkg-parsechangelog -l "$scratch/source/debian/changelog" -S Version
        return 0
      fi
      newer_apt "$scratch/apt-$suite" source --download-only --tar-only "$package" >>"$log" 2>&1 || continue
      archive=$(newest_match "$scratch/${package}_*.orig.tar.[gx]z")
      mkdir "$scratch/source"
      tar -x -f "$archive" -C "$scratch/source" --strip-components=1 >>"$log" 2>&1 || continue
      say "the mirror lacks parts of the source package $package: building without Debian's patches"
      basename "$archive" | sed "s/^${package}_//; s/\.orig\.tar.*//"
      return 0
    done
  done
  return 1
}

# prefix_name WHAT VERSION RECIPE: the folder of a build in the cache. Without "~" and ":", which
# tools like to escape in paths.
prefix_name() { echo "$1-${2//[~:]/-}-$(dpkg --print-architecture)-$3"; }

# cached_pkg_config_path PACKAGE PATTERN WHY: prints the folder for pkg-config's path of the build in
# the cache. Where none matches PATTERN, says WHY and makes one with build_PACKAGE.
cached_pkg_config_path() {
  local package=$1 pattern=$2 why=$3 prefix began=$SECONDS
  prefix=$(newest_match "$pattern")
  if [ -z "$prefix" ]; then
    say "$why"
    make_once "$package" "$pattern" "build_$package" >&2
    prefix=$(newest_match "$pattern")
    say "$package is ready after $((SECONDS - began)) s: $prefix"
  fi
  echo "$prefix/lib/pkgconfig"
}

# build_debian_source SCRATCH HOME PACKAGE WANTED RECIPE SUITE...: builds the package's source with
# make_PACKAGE, for make_once. RECIPE is part of the folder's name.
build_debian_source() {
  local scratch=$1 home=$2 package=$3 wanted=$4 recipe=$5 version prefix log=$1/build.log
  shift 5
  cd "$scratch" || exit
  version=$(debian_source "$scratch" "$log" "$package" "$@") ||
    show_and_die "$log" "cannot fetch $package's source package"
  if dpkg --compare-versions "$version" lt "$wanted"; then
    die "Debian $1 has $package $version here, and $wanted is needed"
  fi
  prefix=$home/$(prefix_name "$package" "$version" "$recipe")
  say "building $package $version"
  build_without_surroundings "make_$package" "$scratch" "$prefix" >>"$log" 2>&1 ||
    show_and_die "$log" "$package does not build"
  hand_over_build "$scratch" "$prefix"
}

# build_without_surroundings COMMAND...: the result depends on the recipe, not on who builds it.
build_without_surroundings() (
  unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS AR RANLIB MAKEFLAGS CROSS_COMPILE
  "$@"
)

# hand_over_build SCRATCH PREFIX: what was installed below SCRATCH/stage becomes make_once's result.
hand_over_build() {
  local stage=$1/stage$2
  # The cache may be moved.
  # shellcheck disable=SC2016
  sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|' "$stage"/lib/pkgconfig/*.pc
  mv -T "$stage" "$1/result/$(basename "$2")"
}
