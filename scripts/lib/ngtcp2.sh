# shellcheck shell=bash
# ngtcp2, the second QUIC engine, on OpenSSL's TLS: the system's where it has that
# combination, otherwise one static build from Debian's own source package, kept in
# the cache. Sourced after common.sh, debian-archive.sh and openssl.sh.

# The first version with every function that we call.
NGTCP2_WANTED=1.24
# No release has it yet.
NGTCP2_RELEASE=sid

# What the cached build is made of, as in openssl.sh. The source has a configure script,
# so a compiler and make are enough.
NGTCP2_FLAGS=(
  --enable-lib-only --disable-shared --enable-static --with-openssl
  --without-jemalloc --without-libev --without-libnghttp3
)
# Its assertions are its authors' tests; what comes from the network must not end a process.
NGTCP2_CFLAGS='-O2 -DNDEBUG'

system_ngtcp2_is_enough() {
  system_openssl_is_enough &&
    pkg-config --atleast-version="$NGTCP2_WANTED" libngtcp2 libngtcp2_crypto_ossl 2>/dev/null
}

# The headers of the OpenSSL below it are part of what it is made of.
ngtcp2_recipe_hash() {
  printf '%s\n' "$NGTCP2_RELEASE" "${NGTCP2_FLAGS[@]}" "$NGTCP2_CFLAGS" "${1:-system}" |
    sha256sum | cut -c1-8
}

# The OpenSSL to build on, as part of the recipe: the name of its folder, or its version.
ngtcp2_base() {
  if system_openssl_is_enough; then
    pkg-config --modversion openssl
  else
    basename "$(newest_match "$(openssl_pattern)")"
  fi
}

ngtcp2_pattern() {
  echo "$(cache_dir)/$(prefix_name ngtcp2 '*' "$(ngtcp2_recipe_hash "$(ngtcp2_base)")")"
}

# Whether nothing has to be built: then nothing is needed to build it, either.
ngtcp2_is_here() {
  system_ngtcp2_is_enough || { openssl_is_here && [ -n "$(newest_match "$(ngtcp2_pattern)")" ]; }
}

# Prints the folder for pkg-config's path, or nothing when the system's ngtcp2 is enough; builds
# what is missing. OpenSSL must be there.
ngtcp2_pkg_config_path() {
  local pattern prefix began=$SECONDS
  if system_ngtcp2_is_enough; then return 0; fi
  pattern=$(ngtcp2_pattern)
  prefix=$(newest_match "$pattern")
  if [ -z "$prefix" ]; then
    say "ngtcp2 $NGTCP2_WANTED is not here: building Debian $NGTCP2_RELEASE's, once (half a minute)"
    make_once ngtcp2 "$pattern" build_ngtcp2 >&2
    prefix=$(newest_match "$pattern")
    say "ngtcp2 is ready after $((SECONDS - began)) s: $prefix"
  fi
  echo "$prefix/lib/pkgconfig"
}

build_ngtcp2() {
  local scratch=$1 home=$2 version prefix log=$1/build.log
  cd "$scratch" || exit
  version=$(debian_source "$scratch" "$log" ngtcp2 "$NGTCP2_RELEASE") ||
    show_and_die "$log" "cannot fetch ngtcp2's source package"
  if dpkg --compare-versions "$version" lt "$NGTCP2_WANTED"; then
    die "Debian $NGTCP2_RELEASE has ngtcp2 $version here, and $NGTCP2_WANTED is needed"
  fi
  prefix=$home/$(prefix_name ngtcp2 "$version" "$(ngtcp2_recipe_hash "$(ngtcp2_base)")")
  say "building ngtcp2 $version"
  build_without_surroundings make_ngtcp2 "$scratch" "$prefix" >>"$log" 2>&1 ||
    show_and_die "$log" "ngtcp2 does not build"
  hand_over_build "$scratch" "$prefix"
}

make_ngtcp2() {
  local openssl
  openssl=$(openssl_pkg_config_path)
  export PKG_CONFIG_PATH=$openssl${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  cd "$1/source" &&
    ./configure --prefix="$2" "${NGTCP2_FLAGS[@]}" CFLAGS="$NGTCP2_CFLAGS" \
      PKG_CONFIG='pkg-config --static' &&
    make -j"$(nproc)" &&
    make DESTDIR="$1/stage" install
}

# quic_pkg_config_paths: the folders for pkg-config's path that both libraries need, one a line;
# builds what is missing.
quic_pkg_config_paths() {
  openssl_pkg_config_path
  ngtcp2_pkg_config_path
}
