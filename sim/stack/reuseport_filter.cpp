#include "stack/reuseport_filter.hpp"

namespace peersock::sim {
namespace {

constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kLoadHalf = BPF_LD | BPF_H | BPF_ABS;
constexpr std::uint16_t kLoadByte = BPF_LD | BPF_B | BPF_ABS;
constexpr std::uint16_t kIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t kIfAnyBit = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

std::size_t width_of(std::uint16_t load) {
  if (load == kLoadWord) return 4;
  return load == kLoadHalf ? 2 : 1;
}

bool is_known(const sock_filter& instruction) {
  const auto place = static_cast<std::int32_t>(instruction.k);
  switch (instruction.code) {
    case kLoadWord:
    case kLoadHalf:
    case kLoadByte:
      // The other places are the link layer and what is no octet of the packet.
      return place >= 0 || (place >= SKF_NET_OFF && place < SKF_AD_OFF);
    case kIfEqual:
    case kIfAnyBit:
    case kReturn:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<ReuseportFilter> ReuseportFilter::load(std::span<const sock_filter> program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) return std::nullopt;
  if (program.back().code != kReturn) return std::nullopt;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& instruction = program[at];
    if (!is_known(instruction)) return std::nullopt;
    if (instruction.code != kIfEqual && instruction.code != kIfAnyBit) continue;
    const std::size_t left = program.size() - at - 1;
    if (instruction.jt >= left || instruction.jf >= left) return std::nullopt;
  }
  return ReuseportFilter(program);
}

std::uint32_t ReuseportFilter::run(std::span<const std::uint8_t> headers,
                                   std::span<const std::uint8_t> payload) const {
  std::uint32_t value = 0;
  for (std::size_t at = 0; at < program_.size(); ++at) {
    const sock_filter& instruction = program_[at];
    const std::uint32_t k = instruction.k;
    switch (instruction.code) {
      case kReturn:
        return k;
      case kIfEqual:
        at += value == k ? instruction.jt : instruction.jf;
        break;
      case kIfAnyBit:
        at += (value & k) != 0 ? instruction.jt : instruction.jf;
        break;
      default: {
        const auto place = static_cast<std::int32_t>(k);
        const std::size_t first = place >= 0 ? headers.size() + static_cast<std::size_t>(place)
                                             : static_cast<std::size_t>(place - SKF_NET_OFF);
        const std::size_t width = width_of(instruction.code);
        if (first + width > headers.size() + payload.size()) return 0;
        value = 0;
        for (std::size_t i = first; i < first + width; ++i) {
          value = value << 8 | (i < headers.size() ? headers[i] : payload[i - headers.size()]);
        }
      }
    }
  }
  return 0;
}

}  // namespace peersock::sim
