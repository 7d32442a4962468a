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
  if system_openssl_is_enough; then return 0; fi
  cached_pkg_config_path openssl "$(openssl_pattern)" \
    "OpenSSL $OPENSSL_WANTED is not here: building Debian $NEWER_RELEASE's, once (a few minutes)"
}

build_openssl() {
  build_debian_source "$1" "$2" openssl "$OPENSSL_WANTED" "$(openssl_recipe_hash)" \
    "$NEWER_RELEASE" "$NEWER_RELEASE-security"
}

make_openssl() {
  cd "$1/source" &&
    ./config --prefix="$2" "${OPENSSL_FLAGS[@]}" &&
    make -j"$(nproc)" build_libs &&
    make DESTDIR="$1/stage" install_dev
}
