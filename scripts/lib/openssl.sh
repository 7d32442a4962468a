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

openssl_pattern() { echo "$(cache_dir)/$(prefix_name openssl '*' "$(openssl_recipe_hash)")"; }

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

build_openssl() {
  local scratch=$1 home=$2 version prefix log=$1/build.log
  cd "$scratch" || exit
  version=$(debian_source "$scratch" "$log" openssl "$NEWER_RELEASE" "$NEWER_RELEASE-security") ||
    show_and_die "$log" "cannot fetch OpenSSL's source package"
  if dpkg --compare-versions "$version" lt "$OPENSSL_WANTED"; then
    die "Debian $NEWER_RELEASE has OpenSSL $version here, and $OPENSSL_WANTED is needed"
  fi
  prefix=$home/$(prefix_name openssl "$version" "$(openssl_recipe_hash)")
  say "building OpenSSL $version"
  build_without_surroundings make_openssl "$scratch" "$prefix" >>"$log" 2>&1 ||
    show_and_die "$log" "OpenSSL does not build"
  hand_over_build "$scratch" "$prefix"
}

make_openssl() {
  cd "$1/source" &&
    ./config --prefix="$2" "${OPENSSL_FLAGS[@]}" &&
    make -j"$(nproc)" build_libs &&
    make DESTDIR="$1/stage" install_dev
}
