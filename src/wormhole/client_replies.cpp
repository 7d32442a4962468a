// What the server says, and what the peer says through it.
#include <utility>

#include "wire/json_reader.hpp"
#include "wormhole/client_errors.hpp"
#include "wormhole/client_impl.hpp"

namespace peersock::wormhole {
namespace {

constexpr std::string_view kAppVersions = "app_versions";
constexpr wire::JsonLimits kVersionLimits{.octets = 65536, .depth = 32, .values = 4096};

/// The application's part of a `version` phase; an empty object when it says nothing.
std::optional<nlohmann::json> read_app_versions(ByteView plain) {
  auto version = wire::parse_json(as_text(plain), kVersionLimits);
  if (!version || !version->is_object()) return std::nullopt;
  const auto found = version->find(kAppVersions);
  if (found == version->end()) return nlohmann::json::object();
  if (!found->is_object()) return std::nullopt;
  return std::move(*found);
}

}  // namespace

// ---- replies of the server --------------------------------------------------------------------

void Client::Impl::on(const wire::reply::Welcome& reply, Instant now) {
  welcomed_ = true;
  if (in<Closing>()) return;
  if (reply.error) return server_failed(server_unwelcoming(*reply.error), now);
  if (reply.permission_required) return server_failed(permission_required(), now);
  if (std::exchange(joined_, true)) return;
  renew(now);
  outputs_.emplace_back(Joined{servers_.url(), reply.motd});
}

void Client::Impl::on(const wire::reply::Allocated& reply, Instant now) {
  const auto claim = nameplate_.allocated(reply.nameplate);
  if (!claim) return unexpected();
  link_works();
  wire::Code code(reply.nameplate, wire::random_words(rng_), servers_.number());
  send(claim);
  state_ = Claiming{now + config_.link_timeout};
  use_code(code);
  outputs_.emplace_back(CodeReady{std::move(code), true});
}

void Client::Impl::on(const wire::reply::Claimed& reply, Instant now) {
  if (!nameplate_.claimed()) return unexpected();
  link_works();
  if (reply.mailbox.empty() || reply.mailbox.size() > kMaxIdLength) {
    return in<Closing>() ? unexpected() : fail(bad_mailbox_name());
  }
  if (const auto* closing = std::get_if<Closing>(&state_)) {
    if (mailbox_.known()) return;
    mailbox_.move_to(reply.mailbox);
    return send(mailbox_.close(closing->mood));
  }
  mailbox_.move_to(reply.mailbox);
  open_mailbox();
  if (in<Claiming>()) state_ = Opening{now + config_.link_timeout};
}

void Client::Impl::on(const wire::reply::Released& /*reply*/, Instant /*now*/) {
  nameplate_.released();
}

void Client::Impl::on(const wire::reply::Closed& /*reply*/, Instant /*now*/) {
  mailbox_.closed();
}

void Client::Impl::on(const wire::reply::ServerError& reply, Instant now) {
  if (in<Closing>()) return finish();
  // Before there is a code nobody else can use it, whatever the server says.
  if (in<Allocating>()) return server_failed(request_refused(reply.error, reply.orig_type), now);
  if (reply.error == "crowded") return fail(code_in_use());
  if (reply.error == "reclaimed") return fail(code_used_up());
  // Neither is worth a session: an unreleased nameplate is pruned, and any answer is a sign of
  // life.
  if (reply.orig_type == "release") return nameplate_.released();
  if (reply.orig_type == "ping") return;
  fail(to_error(request_refused(reply.error, reply.orig_type)));
}

void Client::Impl::on(const wire::reply::Message& reply, Instant /*now*/) {
  if (in<Closing>() || !mailbox_.is_open()) return unexpected();
  link_works();
  if (reply.side == config_.side) return echo_received(reply);
  peer_message(reply);
}

// ---- the mailbox ------------------------------------------------------------------------------

void Client::Impl::use_code(const wire::Code& code) {
  key_.emplace(code.canonical(), config_.appid, config_.side, rng_);
  send(mailbox_.add(kPakePhase, to_hex(key_->pake())));
}

void Client::Impl::open_mailbox() {
  for (const auto& request : mailbox_.open()) send(request);
}

void Client::Impl::echo_received(const wire::reply::Message& message) {
  mailbox_.echoed(message.phase, message.body);
  if (in<Opening>() && mailbox_.confirmed(kPakePhase)) state_ = AwaitPake{};
}

void Client::Impl::peer_message(const wire::reply::Message& message) {
  if (message.side.empty() || message.side.size() > kMaxIdLength) {
    return fail(peer_broke_protocol("a message under an unusable name"));
  }
  if (!peer_side_) peer_side_ = message.side;
  if (*peer_side_ != message.side) return fail(code_in_use());
  switch (inbox_.put(message.phase, message.body)) {
    case ClientInbox::Verdict::kIgnored:
      return;
    case ClientInbox::Verdict::kMalformed:
      return fail(peer_broke_protocol("a message that is not hexadecimal"));
    case ClientInbox::Verdict::kContradicts:
      return fail(peer_broke_protocol("two different key exchange messages"));
    case ClientInbox::Verdict::kTooMuch:
      return fail(peer_broke_protocol("more messages than can be kept"));
    case ClientInbox::Verdict::kTaken:
      break;
  }
  agree();
  verify();
  deliver();
}

void Client::Impl::post(std::string_view phase, ByteView plain) {
  send(mailbox_.add(phase, key_->seal(phase, plain, rng_)));
}

void Client::Impl::post_payload(ByteView payload) {
  post(std::to_string(next_phase_++), payload);
}

// ---- the peer ---------------------------------------------------------------------------------

void Client::Impl::agree() {
  if (!inbox_.pake() || !(in<Opening>() || in<AwaitPake>())) return;
  if (auto error = key_->agree(*inbox_.pake())) return fail(std::move(*error));
  const nlohmann::json version = {{std::string(kAppVersions), config_.app_versions}};
  post(kVersionPhase, as_bytes(wire::to_json_text(version)));
  for (const Bytes& payload : std::exchange(unsealed_, {})) post_payload(payload);
  unsealed_octets_ = 0;
  // From here on the peer can find the mailbox without the nameplate, so others may have it.
  send(nameplate_.release());
  state_ = AwaitVersion{};
  outputs_.emplace_back(PeerSeen{*peer_side_});
}

void Client::Impl::verify() {
  if (!inbox_.version() || !in<AwaitVersion>()) return;
  const auto plain = key_->open(*peer_side_, kVersionPhase, *inbox_.version());
  if (!plain) return fail(wrong_code());
  auto app_versions = read_app_versions(*plain);
  if (!app_versions) return fail(peer_broke_protocol("an introduction that cannot be read"));
  state_ = Verified{};
  outputs_.emplace_back(PeerVerified{std::move(*app_versions), key_->smp_key()});
}

void Client::Impl::deliver() {
  while (in<Verified>()) {
    const auto next = inbox_.take_next();
    if (!next) return;
    auto plain = key_->open(*peer_side_, next->phase, next->body);
    if (!plain) return fail(message_tampered());
    outputs_.emplace_back(PayloadReceived{std::move(*plain)});
  }
}

}  // namespace peersock::wormhole
