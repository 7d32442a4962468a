# shellcheck shell=bash
# OpenSSL with a QUIC server: the system's where it is new enough, otherwise one
# static build from Debian's own source package, kept in the cache.
# Sourced after common.sh and debian-archive.sh.

OPENSSL_WANTED=3.5

# What the cached build is made of. Any change here makes a new prefix, because
# its name carries a hash of these lines. (NDEBUG and -O3 are OpenSSL's defaults.)
OPENSSL_FLAGS=(
  no-shared no-tests no-docs no-apps no-legacy no-engine no-dso
  --release --libdir=lib
  # Where Debian keeps its certificates.
  --openssldir=/usr/lib/ssl
)

system_openssl_is_enough() { pkg-config --atleast-version="$OPENSSL_WANTED" openssl 2>/dev/null; }

openssl_recipe_hash() {
  printf '%s\n' "$NEWER_RELEASE" "${OPENSSL_FLAGS[@]}" | sha256sum | cut -c1-8
}

openssl_pattern() { echo "$(cache_dir)/openssl-*-$(dpkg --print-architecture)-$(openssl_recipe_hash)"; }

# Whether nothing has to be built: then nothing is needed to build it, either.
openssl_is_here() {
  system_openssl_is_enough || [ -n "$(newest_match "$(openssl_pattern)")" ]
}

# Prints the folder for pkg-config's path, or nothing when the system's OpenSSL
# is enough; builds what is missing.
openssl_pkg_config_path() {
  local pattern prefix began=$SECONDS
  if system_openssl_is_enough; then return 0; fi
  pattern=$(openssl_pattern)
  prefix=$(newest_match "$pattern")
  if [ -z "$prefix" ]; then
    say "OpenSSL $OPENSSL_WANTED is not here: building Debian $NEWER_RELEASE's, once (a few minutes)"
    make_once openssl "$pattern" build_openssl >&2
    prefix=$(newest_match "$pattern")
    say "OpenSSL is ready after $((SECONDS - began)) s: $prefix"
  fi
  echo "$prefix/lib/pkgconfig"
}

# openssl_source SCRATCH LOG: unpacks OpenSSL's source into SCRATCH/source and prints its version.
#
# Mirrors sometimes lack single files of source packages. Then the other suite of the release will
# do, and after that the upstream archive alone, which Debian has signed in the same index: it has
# everything but Debian's own patches.
openssl_source() {
  local scratch=$1 log=$2 suite files description archive
  for files in whole tar-only; do
    for suite in "$NEWER_RELEASE" "$NEWER_RELEASE-security"; do
      newer_apt_update "$scratch/apt-$suite" deb-src "$suite" || continue
      rm -f "$scratch"/openssl_*
      if [ "$files" = whole ]; then
        newer_apt "$scratch/apt-$suite" source --download-only openssl >>"$log" 2>&1 || continue
        # apt has checked every file against the signed index; the uploader's own
        # signature, for which a fresh system has no key, adds nothing.
        description=$(newest_match "$scratch/openssl_*.dsc")
        dpkg-source --no-check -x "$description" "$scratch/source" >>"$log" 2>&1 || continue
        dpkg-parsechangelog -l "$scratch/source/debian/changelog" -S Version
        return 0
      fi
      newer_apt "$scratch/apt-$suite" source --download-only --tar-only openssl >>"$log" 2>&1 || continue
      archive=$(newest_match "$scratch/openssl_*.orig.tar.[gx]z")
      mkdir "$scratch/source"
      tar -x -f "$archive" -C "$scratch/source" --strip-components=1 >>"$log" 2>&1 || continue
      say "the mirror lacks parts of the source package: building without Debian's patches"
      basename "$archive" | sed 's/^openssl_//; s/\.orig\.tar.*//'
      return 0
    done
  done
  return 1
}

build_openssl() {
  local scratch=$1 home=$2 version prefix log=$1/build.log
  cd "$scratch" || exit
  version=$(openssl_source "$scratch" "$log") || show_and_die "$log" "cannot fetch OpenSSL's source package"
  if dpkg --compare-versions "$version" lt "$OPENSSL_WANTED"; then
    die "Debian $NEWER_RELEASE has OpenSSL $version here, and $OPENSSL_WANTED is needed"
  fi
  # Without "~" and ":", which tools like to escape in paths.
  prefix=$home/openssl-${version//[~:]/-}-$(dpkg --print-architecture)-$(openssl_recipe_hash)
  say "building OpenSSL $version"
  (
    # The result depends on the recipe, not on who builds it.
    unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS AR RANLIB MAKEFLAGS CROSS_COMPILE
    cd "$scratch/source" &&
      ./config --prefix="$prefix" "${OPENSSL_FLAGS[@]}" &&
      make -j"$(nproc)" build_libs &&
      make DESTDIR="$scratch/stage" install_dev
  ) >>"$log" 2>&1 || show_and_die "$log" "OpenSSL does not build"
  # The cache may be moved.
  # shellcheck disable=SC2016
  sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|' "$scratch/stage$prefix"/lib/pkgconfig/*.pc
  mv -T "$scratch/stage$prefix" "$scratch/result/$(basename "$prefix")"
}
