#include "support/websocket_octets.hpp"

#include <stdexcept>

#include <glib.h>

namespace peersock::testing {
namespace {

constexpr std::string_view kMask = "\x12\x34\x56\x78";

void append_big_endian(std::string& out, std::uint64_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xff);
  }
}

std::uint8_t octet(const std::string& text, std::size_t at) {
  return static_cast<std::uint8_t>(text.at(at));
}

}  // namespace

std::string upgrade_request(std::string_view path) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

std::string upgrade_response(std::string_view request) {
  constexpr std::string_view kHeader = "Sec-WebSocket-Key: ";
  const auto at = request.find(kHeader);
  if (at == std::string_view::npos) throw std::runtime_error("no key in the request");
  const auto begin = at + kHeader.size();
  const std::string text = std::string(request.substr(begin, request.find('\r', begin) - begin)) +
                           "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  GChecksum* checksum = g_checksum_new(G_CHECKSUM_SHA1);
  g_checksum_update(checksum, reinterpret_cast<const guchar*>(text.data()),
                    static_cast<gssize>(text.size()));
  guint8 digest[20];
  gsize size = sizeof digest;
  g_checksum_get_digest(checksum, digest, &size);
  g_checksum_free(checksum);
  gchar* encoded = g_base64_encode(digest, size);
  std::string response =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Accept: ";
  response += encoded;
  g_free(encoded);
  return response + "\r\n\r\n";
}

std::string ws_frame(std::uint8_t opcode, std::string_view payload, bool masked, bool final) {
  std::string out;
  out += static_cast<char>((final ? 0x80 : 0) | opcode);
  const int mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else if (payload.size() < 65536) {
    out += static_cast<char>(mask_bit | 126);
    append_big_endian(out, payload.size(), 2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    append_big_endian(out, payload.size(), 8);
  }
  if (!masked) return out.append(payload);
  out.append(kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ kMask[i % kMask.size()]);
  }
  return out;
}

std::optional<WsFrame> take_ws_frame(std::string& octets) {
  if (octets.size() < 2) return std::nullopt;
  std::uint64_t length = octet(octets, 1) & 0x7f;
  std::size_t at = 2;
  const int extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (octets.size() < at + static_cast<std::size_t>(extended)) return std::nullopt;
  if (extended > 0) length = 0;
  for (int i = 0; i < extended; ++i) length = length << 8 | octet(octets, at++);
  const bool masked = (octet(octets, 1) & 0x80) != 0;
  const std::size_t mask_at = at;
  if (masked) at += 4;
  if (octets.size() < at + length) return std::nullopt;
  WsFrame frame{static_cast<std::uint8_t>(octet(octets, 0) & 0x0f), (octet(octets, 0) & 0x80) != 0,
                octets.substr(at, length)};
  for (std::size_t i = 0; masked && i < length; ++i) {
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ octets[mask_at + i % 4]);
  }
  octets.erase(0, at + length);
  return frame;
}

std::optional<std::string> take_http_head(std::string& octets) {
  const auto end = octets.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string head = octets.substr(0, end + 4);
  octets.erase(0, end + 4);
  return head;
}

}  // namespace peersock::testing
