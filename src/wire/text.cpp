#include "wire/text.hpp"

#include <cstdint>

namespace peersock::wire {
namespace {

struct Sequence {
  std::size_t size = 0;  ///< octets; 0 when they are no well-formed sequence
  char32_t point = 0;
};

// Well-formed sequences only: no overlong forms, no surrogates (Unicode 15, table 3-7).
Sequence first_sequence(std::string_view text) {
  const auto octet = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = octet(0);
  if (lead < 0x80) return {1, lead};
  if (lead < 0xc2 || lead > 0xf4) return {};
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < size) return {};
  char32_t point = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return {};
    point = point << 6 | (octet(i) & 0x3fU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest[size] || point > 0x10ffff || surrogate) return {};
  return {size, point};
}

bool is_shown(char32_t point) {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false;
  // Zero-width and directional marks, separators, embeddings, overrides, isolates, byte order mark.
  if (point >= 0x200b && point <= 0x200f) return false;
  if (point >= 0x2028 && point <= 0x202e) return false;
  if (point >= 0x2060 && point <= 0x206f) return false;
  return point != 0xfeff;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Sequence sequence = first_sequence(text);
    if (sequence.size == 0) return false;
    text.remove_prefix(sequence.size);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t max_octets) {
  std::string out;
  while (!text.empty()) {
    const Sequence sequence = first_sequence(text);
    const std::size_t size = sequence.size == 0 ? 1 : sequence.size;
    const bool blank = text[0] == '\t' || text[0] == '\n';
    const bool shown = sequence.size != 0 && is_shown(sequence.point);
    if (blank || shown) {
      if (out.size() + size > max_octets) break;
      if (blank) {
        out.push_back(' ');
      } else {
        out.append(text.substr(0, size));
      }
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace peersock::wire
