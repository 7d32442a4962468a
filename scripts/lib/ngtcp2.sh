# shellcheck shell=bash
# ngtcp2, the second QUIC engine, on OpenSSL's TLS: the system's where it has that
# combination, otherwise one static build from Debian's own source package, kept in
# the cache. Sourced after common.sh, debian-archive.sh and openssl.sh.

# The first version with every function that we call.
NGTCP2_WANTED=1.24
# The first one whose BBR keeps the rate that it has found (correct_ngtcp2).
NGTCP2_CORRECT=1.25
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
    pkg-config --atleast-version="$NGTCP2_CORRECT" libngtcp2 libngtcp2_crypto_ossl 2>/dev/null
}

# Before version 1.25 BBR takes each round trip for the end of a probe, and so forgets the best rate
# that it has seen after two of them instead of two probes. As it sends a little slower than that, it
# gets slower all the time, and with losses quickly.
NGTCP2_END_OF_PROBE='ack_phase == NGTCP2_BBR_ACK_PHASE_ACKS_PROBE_STOPPING'
NGTCP2_PROBE_HAS_ENDED='bbr->ack_phase = NGTCP2_BBR_ACK_PHASE_ACKS_REFILLING;'

# correct_ngtcp2 SOURCE VERSION: fails where the source is not what it is taken for.
correct_ngtcp2() {
  if dpkg --compare-versions "$2" ge "$NGTCP2_CORRECT"; then return 0; fi
  sed -i "/$NGTCP2_END_OF_PROBE/,/{\$/ s/{\$/{ $NGTCP2_PROBE_HAS_ENDED/" "$1/lib/ngtcp2_bbr.c"
  [ "$(grep -cF "$NGTCP2_PROBE_HAS_ENDED" "$1/lib/ngtcp2_bbr.c")" = 2 ]
}

# The headers of the OpenSSL below it are part of what it is made of.
ngtcp2_recipe_hash() {
  printf '%s\n' "$NGTCP2_RELEASE" "${NGTCP2_FLAGS[@]}" "$NGTCP2_CFLAGS" "${1:-system}" \
    "$NGTCP2_END_OF_PROBE" "$NGTCP2_PROBE_HAS_ENDED" |
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
  if system_ngtcp2_is_enough; then return 0; fi
  cached_pkg_config_path ngtcp2 "$(ngtcp2_pattern)" \
    "ngtcp2 $NGTCP2_WANTED is not here: building Debian $NGTCP2_RELEASE's, once (half a minute)"
}

build_ngtcp2() {
  build_debian_source "$1" "$2" ngtcp2 "$NGTCP2_WANTED" \
    "$(ngtcp2_recipe_hash "$(ngtcp2_base)")" "$NGTCP2_RELEASE"
}

make_ngtcp2() {
  local openssl pkg_config=pkg-config
  openssl=$(openssl_pkg_config_path)
  # Our OpenSSL is static, and so needs what it is made of. The system's is shared: what that
  # would need as a static library (zlib, zstd) need not be there.
  if [ -n "$openssl" ]; then pkg_config='pkg-config --static'; fi
  export PKG_CONFIG_PATH=$openssl${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  cd "$1/source" &&
    correct_ngtcp2 "$PWD" "$(sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" configure)" &&
    ./configure --prefix="$2" "${NGTCP2_FLAGS[@]}" CFLAGS="$NGTCP2_CFLAGS" \
      PKG_CONFIG="$pkg_config" &&
    make -j"$(nproc)" &&
    make DESTDIR="$1/stage" install
}

# quic_pkg_config_paths: the folders for pkg-config's path that both libraries need, one a line;
# builds what is missing.
quic_pkg_config_paths() {
  openssl_pkg_config_path
  ngtcp2_pkg_config_path
}
