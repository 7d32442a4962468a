#include "wire/stream_header.hpp"

#include <fmt/format.h>

namespace peersock::wire {
namespace {

constexpr std::uint8_t kCritical = 0x80;

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorKind::kConnectionLost,
              fmt::format("The other side opened a connection with {}: use the same version of "
                          "peersock on both sides",
                          what));
}

}  // namespace

Bytes encode(const StreamHeader& /*header*/) {
  return {0};
}

Result<std::optional<ParsedStreamHeader>> parse_stream_header(ByteView prefix) {
  if (prefix.empty()) return std::nullopt;
  const std::size_t size = 1 + std::size_t{prefix[0]};
  if (prefix.size() < size) return std::nullopt;
  ByteView fields = prefix.subspan(1, size - 1);
  while (!fields.empty()) {
    if (fields.size() < 2 || fields.size() - 2 < fields[1]) return refuse("a header cut short");
    if ((fields[0] & kCritical) != 0) {
      return refuse(
          fmt::format("a header field that this side does not know (0x{:02x})", fields[0]));
    }
    fields = fields.subspan(2 + std::size_t{fields[1]});
  }
  return ParsedStreamHeader{StreamHeader{}, size};
}

}  // namespace peersock::wire
