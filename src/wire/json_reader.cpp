#include "wire/json_reader.hpp"

namespace peersock::wire {
namespace {

// Counts brackets and commas outside strings. Up to the first error in the text this sees exactly
// the strings and containers that the parser will see, and the parser stops at that error.
bool within(std::string_view text, const JsonLimits& limits) {
  std::size_t depth = 0;
  std::size_t values = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (c == '{' || c == '[' || c == ',') ++values;
    if (depth > limits.depth || values > limits.values) return false;
  }
  return true;
}

}  // namespace

std::optional<nlohmann::json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.octets || !within(text, limits)) return std::nullopt;
  // The parser takes a zero octet for the end of the text; JSON has none anywhere.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  auto value = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

const nlohmann::json* member(const nlohmann::json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(key);
  if (found == value.end() || found->is_null()) return nullptr;
  return &*found;
}

const std::string* string_member(const nlohmann::json& value, std::string_view key) {
  const nlohmann::json* found = member(value, key);
  return found == nullptr ? nullptr : found->get_ptr<const std::string*>();
}

std::optional<std::uint64_t> unsigned_member(const nlohmann::json& value, std::string_view key,
                                             std::uint64_t max) {
  const nlohmann::json* found = member(value, key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number_integer()) return std::nullopt;
  // A value that was built, not parsed, holds a positive number as a signed one.
  if (!found->is_number_unsigned() && found->get<std::int64_t>() < 0) return std::nullopt;
  const auto number = found->get<std::uint64_t>();
  if (number > max) return std::nullopt;
  return number;
}

std::string to_json_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace peersock::wire
