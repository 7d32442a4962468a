# shellcheck shell=bash
# Everything in this folder, in order. Sourced, never run.
_lib=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=scripts/lib/common.sh
. "$_lib/common.sh"
# shellcheck source=scripts/lib/debian-archive.sh
. "$_lib/debian-archive.sh"
# shellcheck source=scripts/lib/openssl.sh
. "$_lib/openssl.sh"
# shellcheck source=scripts/lib/ngtcp2.sh
. "$_lib/ngtcp2.sh"
# shellcheck source=scripts/lib/packages.sh
. "$_lib/packages.sh"
# shellcheck source=scripts/lib/mailbox-server.sh
. "$_lib/mailbox-server.sh"
# shellcheck source=scripts/lib/wormhole-clients.sh
. "$_lib/wormhole-clients.sh"
# shellcheck source=scripts/lib/build.sh
. "$_lib/build.sh"
unset _lib
