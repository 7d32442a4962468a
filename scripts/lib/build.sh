# shellcheck shell=bash
# Configuring and building a folder. Sourced after common.sh and ngtcp2.sh.

# A compiler that was asked for is used; otherwise gcc, through ccache if it is
# here. Objects are then found again from another clone of the tree.
choose_compiler() {
  local cache=
  if have ccache; then cache="ccache "; fi
  export CC=${CC:-${cache}gcc} CXX=${CXX:-${cache}g++}
  if [ -n "$cache" ]; then
    export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PEERSOCK_ROOT} CCACHE_NOHASHDIR=1
    if [ -z "${HOME:-}" ] && [ -z "${CCACHE_DIR:-}" ]; then
      CCACHE_DIR=$(cache_dir)/ccache
      export CCACHE_DIR
    fi
  fi
}

# configure DIR [MESON ARGUMENTS...]: brings the build folder to this
# configuration. One that has it already is left alone; one that has another,
# or was made by another compiler or in another place, is made anew.
configure() {
  local dir=$1 paths wanted arguments
  shift
  paths=$(quic_pkg_config_paths)
  choose_compiler
  arguments=(--buildtype=release "$@")
  if [ -n "$paths" ]; then
    # meson separates by commas, pkg-config by colons.
    paths=${paths//$'\n'/,}${PKG_CONFIG_PATH:+,${PKG_CONFIG_PATH//:/,}}
    arguments=(--pkg-config-path="$paths" "${arguments[@]}")
  fi
  # shellcheck disable=SC2086
  wanted=$(printf '%s\n' "$PEERSOCK_ROOT" "$CC" "$CXX" "$($CXX -dumpfullversion 2>/dev/null || true)" \
    "$(meson --version)" "${CFLAGS:-}" "${CXXFLAGS:-}" "${LDFLAGS:-}" "${PKG_CONFIG_PATH:-}" \
    "${arguments[@]}")
  if [ -e "$dir/build.ninja" ] && [ "$(cat "$dir/.configured" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  if [ -e "$dir/meson-private" ]; then
    say "making $dir anew, because its configuration has changed"
    # Not meson's --wipe, which would keep options that are no longer asked for.
    rm -rf "$dir"
  elif [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
    die "$dir exists and is not a build folder"
  fi
  meson setup "$dir" "$PEERSOCK_ROOT" "${arguments[@]}"
  echo "$wanted" >"$dir/.configured"
}

# turn_on DIR OPTION: has more of the tree built there than it was configured for.
turn_on() {
  if meson introspect --buildoptions "$1" | "${PYTHON:-/usr/bin/python3}" -c '
import json, sys
sys.exit(not any(one["name"] == sys.argv[1] and one["value"] for one in json.load(sys.stdin)))' "$2"; then
    return 0
  fi
  meson configure "$1" "-D$2=true"
}

# build_in DIR [NINJA TARGETS...]
build_in() {
  local dir=$1
  shift
  ninja -C "$dir" "$@"
}
