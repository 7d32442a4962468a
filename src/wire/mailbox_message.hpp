// Messages between a client and a magic-wormhole rendezvous ("mailbox") server, as JSON text.
// Source: magic-wormhole-protocols, server-protocol.md; docs/spec/rendezvous.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace peersock::wire {

/// Longest frame that a client reads, in octets; a longer one ends the link with an error.
inline constexpr std::size_t kMaxMailboxFrame = std::size_t{4} * 1024 * 1024;

enum class Mood : std::uint8_t { kHappy, kLonely, kScary, kErrory };
[[nodiscard]] std::string_view to_string(Mood mood);

/// What a client sends.
namespace request {
struct Bind {
  std::string appid;
  std::string side;
};
struct List {};
struct Allocate {};
struct Claim {
  std::string nameplate;
};
struct Release {
  std::optional<std::string> nameplate;
};
struct Open {
  std::string mailbox;
};
struct Add {
  std::string phase;
  std::string body;  ///< hexadecimal
};
struct Close {
  std::optional<std::string> mailbox;
  std::optional<std::string> mood;
};
struct Ping {
  nlohmann::json ping;
};
}  // namespace request
using MailboxRequest =
    std::variant<request::Bind, request::List, request::Allocate, request::Claim, request::Release,
                 request::Open, request::Add, request::Close, request::Ping>;

/// What a server sends.
namespace reply {
struct Welcome {
  std::optional<std::string> motd;
  std::optional<std::string> error;  ///< fatal: to be shown, then the client gives up
  bool permission_required = false;  ///< hashcash and the like, which we do not do
};
struct Ack {};
struct Nameplates {
  std::vector<std::string> ids;
};
struct Allocated {
  std::string nameplate;
};
struct Claimed {
  std::string mailbox;
};
struct Released {};
struct Message {
  std::string side;
  std::string phase;
  std::string body;  ///< hexadecimal as far as the peer keeps to the protocol; not checked here
};
struct Closed {};
struct Pong {};
struct ServerError {
  std::string error;
  std::optional<std::string> orig_type;  ///< `type` of the request that it answers
};
/// A type that this version does not know; to be ignored.
struct Unknown {
  std::string type;
};
}  // namespace reply
using MailboxReply = std::variant<reply::Welcome, reply::Ack, reply::Nameplates, reply::Allocated,
                                  reply::Claimed, reply::Released, reply::Message, reply::Closed,
                                  reply::Pong, reply::ServerError, reply::Unknown>;

[[nodiscard]] std::string encode(const MailboxRequest& request);

/// What is wrong with a frame.
struct Malformed {
  std::string what;  ///< a noun phrase: "a message without a type"
};

/// Reads one server frame. Unknown keys are ignored, an unknown type gives reply::Unknown.
/// Errors: not JSON, not an object, no string `type`, a known
/// type with a missing or mistyped field, longer than kMaxMailboxFrame, nested too deeply.
/// Never throws.
[[nodiscard]] tl::expected<MailboxReply, Malformed> parse_reply(std::string_view frame);

}  // namespace peersock::wire
