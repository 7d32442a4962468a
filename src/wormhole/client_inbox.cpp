#include "wormhole/client_inbox.hpp"

#include <charconv>
#include <utility>

#include "wormhole/client.hpp"
#include "wormhole/client_mailbox.hpp"

namespace peersock::wormhole {
namespace {

/// A number as the reference client writes it: decimal, no sign, no leading zero. One that does not
/// fit is larger than any that we would keep.
std::optional<std::uint64_t> phase_number(std::string_view phase) {
  if (phase.empty() || (phase.size() > 1 && phase.front() == '0')) return std::nullopt;
  if (phase.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto result = std::from_chars(phase.data(), phase.data() + phase.size(), number);
  return result.ec == std::errc() ? number : UINT64_MAX;
}

}  // namespace

ClientInbox::Verdict ClientInbox::put(std::string_view phase, std::string_view body) {
  if (phase == kPakePhase || phase == kVersionPhase) {
    auto octets = from_hex(body);
    if (!octets) return Verdict::kMalformed;
    auto& slot = phase == kPakePhase ? pake_ : version_;
    if (slot)
      return phase == kPakePhase && *slot != *octets ? Verdict::kContradicts : Verdict::kIgnored;
    slot = std::move(octets);
    return Verdict::kTaken;
  }
  const auto number = phase_number(phase);
  return number ? put_numbered(*number, body) : Verdict::kIgnored;
}

ClientInbox::Verdict ClientInbox::put_numbered(std::uint64_t number, std::string_view body) {
  if (number < next_ || pending_.contains(number)) return Verdict::kIgnored;
  if (number - next_ >= kMaxPendingPhases ||
      pending_octets_ + body.size() / 2 > kMaxPendingOctets) {
    return Verdict::kTooMuch;
  }
  auto octets = from_hex(body);
  if (!octets) return Verdict::kMalformed;
  pending_octets_ += octets->size();
  pending_.emplace(number, std::move(*octets));
  return Verdict::kTaken;
}

std::optional<ClientInbox::Numbered> ClientInbox::take_next() {
  const auto found = pending_.find(next_);
  if (found == pending_.end()) return std::nullopt;
  Numbered numbered{std::to_string(next_), std::move(found->second)};
  pending_octets_ -= numbered.body.size();
  pending_.erase(found);
  ++next_;
  return numbered;
}

}  // namespace peersock::wormhole
