// JSON from a stranger: bounded before it is parsed, and read without exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace peersock::wire {

/// What a text may cost us. A parsed value takes some 64 octets of memory beside its strings.
struct JsonLimits {
  std::size_t octets = 0;
  std::size_t depth = 32;      ///< objects and arrays inside each other
  std::size_t values = 65536;  ///< members, elements and containers
};

/// The parsed text, or nothing when it is not JSON (RFC 8259) or exceeds a limit.
[[nodiscard]] std::optional<nlohmann::json> parse_json(std::string_view text,
                                                       const JsonLimits& limits);

/// The member `key`, or null when `value` is no object, has no such member, or it is JSON's null.
[[nodiscard]] const nlohmann::json* member(const nlohmann::json& value, std::string_view key);
/// The string `key`, or null when it is missing or of another type.
[[nodiscard]] const std::string* string_member(const nlohmann::json& value, std::string_view key);
/// The integer `key`, or nothing when it is missing, of another type, negative or above `max`.
[[nodiscard]] std::optional<std::uint64_t> unsigned_member(const nlohmann::json& value,
                                                           std::string_view key, std::uint64_t max);

/// Compact text. Never throws: octets that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json_text(const nlohmann::json& value);

}  // namespace peersock::wire
