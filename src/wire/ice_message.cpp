#include "wire/ice_message.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "wire/json_reader.hpp"

namespace peersock::wire {
namespace {

using nlohmann::json;

// RFC 8839 section 5.4.
constexpr std::size_t kMinUfrag = 4;
constexpr std::size_t kMinPassword = 22;
constexpr std::size_t kMaxCredential = 256;
constexpr JsonLimits kLimits{.octets = kMaxIceMessage};

tl::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::kConnectionLost,
              fmt::format("The other side sent {} for finding a path: use the same version of "
                          "peersock on both sides",
                          what));
}

json to_json(const IceMessage& message) {
  json object = {{"generation", message.generation}};
  if (message.ufrag) object["ufrag"] = *message.ufrag;
  if (message.password) object["pwd"] = *message.password;
  if (!message.candidates.empty()) {
    json& list = object["candidates"] = json::array();
    for (const Candidate& candidate : message.candidates) {
      list.push_back(format_candidate(candidate));
    }
  }
  if (message.end_of_candidates) object["end"] = true;
  return {{"ice", std::move(object)}};
}

/// What is wrong with the credentials, which come together or not at all.
std::optional<tl::unexpected<Error>> read_credentials(const json& object, IceMessage& out) {
  const bool present = member(object, "ufrag") != nullptr || member(object, "pwd") != nullptr;
  if (!present) return std::nullopt;
  const std::string* ufrag = string_member(object, "ufrag");
  const std::string* password = string_member(object, "pwd");
  if (ufrag == nullptr || !is_ice_text(*ufrag, kMinUfrag, kMaxCredential)) {
    return malformed("an unusable \"ufrag\"");
  }
  if (password == nullptr || !is_ice_text(*password, kMinPassword, kMaxCredential)) {
    return malformed("an unusable \"pwd\"");
  }
  out.ufrag = *ufrag;
  out.password = *password;
  return std::nullopt;
}

/// Whether the list of candidates, if there is one, is a list.
bool read_candidates(const json& object, ParsedIceMessage& out) {
  const json* list = member(object, "candidates");
  if (list == nullptr) return true;
  if (!list->is_array()) return false;
  for (const json& entry : *list) {
    const auto* line = entry.get_ptr<const std::string*>();
    // Lines above the limit are not even looked at.
    if (line == nullptr || out.message.candidates.size() == kMaxCandidates) {
      ++out.refused_candidates;
      continue;
    }
    if (auto candidate = parse_candidate(*line)) {
      out.message.candidates.push_back(*std::move(candidate));
    } else {
      ++out.refused_candidates;
    }
  }
  return true;
}

/// Whether the end mark, if there is one, is a boolean.
bool read_end(const json& object, bool& out) {
  const json* end = member(object, "end");
  if (end == nullptr) return true;
  const auto* value = end->get_ptr<const json::boolean_t*>();
  if (value == nullptr) return false;
  out = *value;
  return true;
}

}  // namespace

std::string encode(const IceMessage& message) {
  return to_json_text(to_json(message));
}

std::optional<IceGeneration> generation_of(std::string_view text) {
  const auto parsed = parse_ice_message(text);
  if (!parsed) return std::nullopt;
  return parsed->message.generation;
}

Result<ParsedIceMessage> parse_ice_message(std::string_view text) {
  if (text.size() > kMaxIceMessage) return malformed("a message that is too long");
  const auto parsed = parse_json(text, kLimits);
  if (!parsed) return malformed("something that is not JSON, or too deeply nested,");
  const json* object = member(*parsed, "ice");
  if (object == nullptr || !object->is_object()) return malformed("a message without \"ice\"");

  ParsedIceMessage result;
  const auto generation =
      unsigned_member(*object, "generation", std::numeric_limits<std::uint32_t>::max());
  if (!generation) return malformed("an unusable \"generation\"");
  result.message.generation = static_cast<std::uint32_t>(*generation);
  if (auto error = read_credentials(*object, result.message)) return *std::move(error);
  if (!read_candidates(*object, result)) return malformed("unusable \"candidates\"");
  if (!read_end(*object, result.message.end_of_candidates)) return malformed("an unusable \"end\"");
  return result;
}

}  // namespace peersock::wire
