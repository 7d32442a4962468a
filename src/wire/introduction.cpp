#include "wire/introduction.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "wire/json_reader.hpp"
#include "wire/text.hpp"

namespace peersock::wire {
namespace {

using nlohmann::json;

constexpr std::string_view kKey = "peersock";
constexpr std::size_t kMaxCapabilities = 32;
constexpr std::size_t kMaxCapabilityLength = 64;
constexpr std::size_t kMaxShownMode = 24;

/// The mode that `mode` is usually joined with.
Mode partner(Mode mode) {
  switch (mode) {
    case Mode::kConnect:
      return Mode::kListen;
    case Mode::kListen:
      return Mode::kConnect;
    case Mode::kStdioA:
      return Mode::kStdioB;
    case Mode::kStdioB:
      return Mode::kStdioA;
  }
  return Mode::kConnect;
}

tl::unexpected<Error> incompatible(std::string message) {
  return fail(ErrorKind::kIncompatible, std::move(message));
}

tl::unexpected<Error> malformed(std::string_view field) {
  return fail(ErrorKind::kConnectionLost,
              fmt::format("The other side introduced itself with an unusable \"{}\": use the same "
                          "version of peersock on both sides",
                          field));
}

Result<Mode> read_mode(const json& object) {
  const std::string* name = string_member(object, "mode");
  if (name == nullptr) return malformed("mode");
  if (const auto mode = parse_mode(*name)) return *mode;
  return incompatible(fmt::format(
      "The other side runs \"{}\", which this side does not know: update peersock on this side",
      printable(*name, kMaxShownMode)));
}

bool is_capability(const std::string& name) {
  const auto is_graphic = [](char c) { return c > ' ' && c < '\x7f'; };
  return !name.empty() && name.size() <= kMaxCapabilityLength &&
         std::ranges::all_of(name, is_graphic);
}

/// Entries that are no capability of any version that we understand are left out, not refused.
Result<std::vector<std::string>> read_capabilities(const json& object) {
  std::vector<std::string> capabilities;
  const json* list = member(object, "capabilities");
  if (list == nullptr) return capabilities;
  if (!list->is_array()) return malformed("capabilities");
  for (const json& entry : *list) {
    if (capabilities.size() == kMaxCapabilities) break;
    const auto* name = entry.get_ptr<const std::string*>();
    if (name != nullptr && is_capability(*name)) capabilities.push_back(*name);
  }
  return capabilities;
}

Result<Fingerprint> read_fingerprint(const json& object) {
  const std::string* text = string_member(object, "fingerprint");
  if (text == nullptr || text->size() != Fingerprint{}.size() * 2) return malformed("fingerprint");
  const auto octets = from_hex(*text);
  if (!octets) return malformed("fingerprint");
  Fingerprint fingerprint{};
  std::ranges::copy(*octets, fingerprint.begin());
  return fingerprint;
}

/// An opener has none to give; what it says there is an unknown member to us.
Result<Bytes> read_first_message(const json& object, Mode mode) {
  if (is_opener(mode)) return Bytes();
  const std::string* text = string_member(object, "smp");
  if (text == nullptr || text->empty() || text->size() > kMaxFirstMessage * 2) {
    return malformed("smp");
  }
  auto octets = from_hex(*text);
  if (!octets) return malformed("smp");
  return *std::move(octets);
}

std::optional<tl::unexpected<Error>> check_version(const json& object) {
  const auto version = unsigned_member(object, "version", std::numeric_limits<int>::max());
  if (!version) return malformed("version");
  if (*version == kProtocolVersion) return std::nullopt;
  const std::string_view side = *version > kProtocolVersion ? "this side" : "the other side";
  return incompatible(
      fmt::format("The other side speaks version {} of the protocol and this side version {}: "
                  "update peersock on {}",
                  *version, kProtocolVersion, side));
}

}  // namespace

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kConnect:
      return "connect";
    case Mode::kListen:
      return "listen";
    case Mode::kStdioA:
      return "stdio-a";
    case Mode::kStdioB:
      return "stdio-b";
  }
  return "unknown";
}

std::optional<Mode> parse_mode(std::string_view name) {
  for (const Mode mode : {Mode::kConnect, Mode::kListen, Mode::kStdioA, Mode::kStdioB}) {
    if (name == to_string(mode)) return mode;
  }
  return std::nullopt;
}

bool is_opener(Mode mode) {
  return mode == Mode::kListen || mode == Mode::kStdioB;
}

std::optional<std::string> mode_conflict(Mode ours, Mode theirs) {
  if (is_opener(ours) != is_opener(theirs)) return std::nullopt;
  if (ours == theirs) {
    return fmt::format(
        "This side and the other side both run \"peersock {}\", which cannot be joined: run "
        "\"peersock {}\" on one of the two",
        to_string(ours), to_string(partner(ours)));
  }
  // Two of a kind with different names: each can be joined with the usual partner of the other.
  return fmt::format(
      "This side runs \"peersock {}\" and the other side \"peersock {}\", which cannot be joined: "
      "run \"peersock {}\" on this side, or \"peersock {}\" on the other side",
      to_string(ours), to_string(theirs), to_string(partner(theirs)), to_string(partner(ours)));
}

json encode(const Introduction& introduction) {
  json object = {{"version", introduction.protocol_version},
                 {"mode", to_string(introduction.mode)},
                 {"fingerprint", to_hex(introduction.fingerprint)},
                 {"capabilities", introduction.capabilities}};
  if (!introduction.smp.empty()) object["smp"] = to_hex(introduction.smp);
  return {{kKey, std::move(object)}};
}

Result<Introduction> parse_introduction(const json& app_versions) {
  const json* object = member(app_versions, kKey);
  if (object == nullptr) {
    return incompatible(
        "The other side used this code with another program: run peersock on both sides");
  }
  if (!object->is_object()) return malformed(kKey);
  if (auto error = check_version(*object)) return *std::move(error);
  auto mode = read_mode(*object);
  if (!mode) return tl::unexpected(std::move(mode).error());
  auto fingerprint = read_fingerprint(*object);
  if (!fingerprint) return tl::unexpected(std::move(fingerprint).error());
  auto capabilities = read_capabilities(*object);
  if (!capabilities) return tl::unexpected(std::move(capabilities).error());
  auto smp = read_first_message(*object, *mode);
  if (!smp) return tl::unexpected(std::move(smp).error());
  return Introduction{kProtocolVersion, *mode, *fingerprint, *std::move(capabilities),
                      *std::move(smp)};
}

}  // namespace peersock::wire
