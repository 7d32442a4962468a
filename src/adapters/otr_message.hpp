// The messages of SMP as libotr writes them: a count, then that many numbers (docs/spec/auth.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.hpp"

namespace peersock::adapters {

/// Octets of the longest number: of the group's modulus (RFC 3526 section 2).
inline constexpr std::size_t kMaxSmpNumber = 192;

/// The numbers of a message that holds `count` of them, as views into it; none when it is not
/// exactly that. libotr itself bounds no number and takes leading zeros and trailing octets; no
/// honest engine sends those, and each message is to have one form. Every number is at least 1:
/// libotr checks that of all but the hashes.
[[nodiscard]] std::vector<ByteView> numbers_of(ByteView message, std::uint32_t count);

}  // namespace peersock::adapters
