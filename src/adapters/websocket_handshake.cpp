#include "adapters/websocket_handshake.hpp"

#include <array>

#include <glib.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {
namespace {

/// RFC 6455 section 1.3.
constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr gsize kSha1Size = 20;

struct ChecksumFree {
  void operator()(GChecksum* checksum) const { g_checksum_free(checksum); }
};

}  // namespace

std::string websocket_accept_of(std::string_view key) {
  const std::unique_ptr<GChecksum, ChecksumFree> sha1(g_checksum_new(G_CHECKSUM_SHA1));
  for (const std::string_view part : {key, kAcceptSuffix}) {
    g_checksum_update(sha1.get(), reinterpret_cast<const guchar*>(part.data()),
                      static_cast<gssize>(part.size()));
  }
  std::array<guint8, kSha1Size> digest{};
  gsize size = digest.size();
  g_checksum_get_digest(sha1.get(), digest.data(), &size);
  const GCharPtr text(g_base64_encode(digest.data(), size));
  return text.get();
}

bool has_token(SoupMessageHeaders* headers, const char* field, const char* token) {
  const char* value = soup_message_headers_get_list(headers, field);
  return value != nullptr && soup_header_contains(value, token) != FALSE;
}

}  // namespace peersock::adapters
