#include "auth/handshake.hpp"

#include <array>
#include <utility>

#include <sodium.h>

namespace peersock::auth {
namespace {

constexpr std::string_view kSecretLabel = "peersock/smp/v1";

Error mismatch() {
  return {ErrorKind::kAuthentication,
          "The codes differ, or someone is between the two ends; make a new code and use it on "
          "both sides"};
}

Error broken_order() {
  return {ErrorKind::kAuthentication,
          "The other side did not keep to the proof of the code, or someone is between the two "
          "ends; make a new code and run the same version of peersock on both sides"};
}

Error silence() {
  return {ErrorKind::kConnectionLost,
          "The other side stopped answering during the proof of the code; see whether it still "
          "runs, then make a new code"};
}

Error started_twice() {
  return {ErrorKind::kInternal,
          "The proof of the code was started twice; this is a defect of peersock, please report "
          "it"};
}

void absorb(crypto_hash_sha256_state& hash, ByteView value) {
  const auto size = static_cast<std::uint32_t>(value.size());
  const std::array<std::uint8_t, 4> length{
      static_cast<std::uint8_t>(size >> 24), static_cast<std::uint8_t>(size >> 16),
      static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  crypto_hash_sha256_update(&hash, length.data(), length.size());
  if (!value.empty()) crypto_hash_sha256_update(&hash, value.data(), value.size());
}

}  // namespace

Secret smp_secret(ByteView exporter, ByteView wormhole_key, ByteView canonical_code) {
  crypto_hash_sha256_state hash{};
  crypto_hash_sha256_init(&hash);
  const ByteView label = as_bytes(kSecretLabel);
  crypto_hash_sha256_update(&hash, label.data(), label.size());
  absorb(hash, exporter);
  absorb(hash, wormhole_key);
  absorb(hash, canonical_code);
  Bytes digest(crypto_hash_sha256_BYTES);
  crypto_hash_sha256_final(&hash, digest.data());
  sodium_memzero(&hash, sizeof hash);
  return Secret(std::move(digest));
}

Handshake::Handshake(Role role, std::unique_ptr<SmpEngine> engine)
    : role_(role), engine_(std::move(engine)) {}

std::vector<HandshakeOutput> Handshake::handle(Input input, Instant now) {
  return std::visit(
      Overloaded{
          [&](FirstReceived& fact) { return on_first(fact.body, now); },
          [&](Started& fact) { return on_started(std::move(fact.secret), now); },
          [&](MessageReceived& fact) { return on_message(std::move(fact.body), now); },
          [&](DeadlineReached&) { return on_deadline(now); },
      },
      input);
}

std::optional<Instant> Handshake::deadline() const {
  using Due = std::optional<Instant>;
  return std::visit(Overloaded{
                        [](const Idle&) { return Due(); },
                        [](const FirstChecked& state) { return state.prepare_at; },
                        [](const AwaitSecond& state) { return Due(state.due); },
                        [](const AwaitThird& state) { return Due(state.due); },
                        [](const AwaitFourth& state) { return Due(state.due); },
                        [](const Proven&) { return Due(); },
                        [](const Refused&) { return Due(); },
                    },
                    state_);
}

std::string_view Handshake::state_name() const {
  return name_of(state_);
}

Handshake::Outputs Handshake::on_first(const Bytes& body, Instant now) {
  return std::visit(Overloaded{
                        [&](Idle&) { return take_first(body, now); },
                        [&](FirstChecked&) { return out_of_order(); },
                        [&](AwaitSecond&) { return out_of_order(); },
                        [&](AwaitThird&) { return out_of_order(); },
                        [&](AwaitFourth&) { return out_of_order(); },
                        [&](Proven&) { return out_of_order(); },
                        [&](Refused&) { return Outputs(); },
                    },
                    state_);
}

Handshake::Outputs Handshake::on_started(Secret secret, Instant now) {
  return std::visit(
      Overloaded{
          [&](Idle& state) { return begin(std::move(secret), std::move(state.early), now); },
          [&](FirstChecked&) { return answer_first(secret, now); },
          [&](AwaitSecond&) { return refuse(started_twice()); },
          [&](AwaitThird&) { return refuse(started_twice()); },
          [&](AwaitFourth&) { return refuse(started_twice()); },
          [&](Proven&) { return refuse(started_twice()); },
          [&](Refused&) { return Outputs(); },
      },
      state_);
}

Handshake::Outputs Handshake::on_message(Bytes body, Instant now) {
  return std::visit(Overloaded{
                        [&](Idle& state) { return hold_early(state, std::move(body)); },
                        [&](FirstChecked&) { return out_of_order(); },
                        [&](AwaitSecond& state) {
                          // Taken out first: the next state overwrites this one.
                          const Secret secret = std::move(state.secret);
                          return take_second(secret, body, now);
                        },
                        [&](AwaitThird&) { return take_third(body); },
                        [&](AwaitFourth&) { return take_fourth(body); },
                        [&](Proven&) { return out_of_order(); },
                        [&](Refused&) { return Outputs(); },
                    },
                    state_);
}

Handshake::Outputs Handshake::on_deadline(Instant now) {
  const auto due = deadline();
  if (!due || now < *due) return {};
  if (std::holds_alternative<FirstChecked>(state_)) return prepare_second();
  return refuse(silence());
}

/// Of a responder it would mean that the first message never came.
Handshake::Outputs Handshake::begin(Secret secret, std::optional<Bytes> early, Instant now) {
  if (role_ == Role::kResponder) return out_of_order();
  if (early) return take_second(secret, *early, now);
  state_ = AwaitSecond{std::move(secret), now + kAnswerTimeout};
  return {};
}

Handshake::Outputs Handshake::hold_early(Idle& idle, Bytes body) {
  if (role_ == Role::kResponder || idle.early || body.size() > kMaxMessage) return out_of_order();
  idle.early = std::move(body);
  return {};
}

Handshake::Outputs Handshake::take_first(ByteView body, Instant now) {
  if (role_ == Role::kInitiator || body.size() > kMaxMessage) return out_of_order();
  auto checked = engine_->check1(body);
  if (!checked) return refuse(std::move(checked.error()));
  state_ = FirstChecked{now + kPreparationDelay};
  return {};
}

Handshake::Outputs Handshake::prepare_second() {
  if (auto prepared = engine_->prepare1(); !prepared) return refuse(std::move(prepared.error()));
  state_ = FirstChecked{};
  return {};
}

Handshake::Outputs Handshake::answer_first(const Secret& secret, Instant now) {
  auto second = engine_->answer1(secret);
  if (!second) return refuse(std::move(second.error()));
  state_ = AwaitThird{now + kAnswerTimeout};
  Outputs outputs;
  outputs.emplace_back(SendMessage{std::move(*second)});
  return outputs;
}

Handshake::Outputs Handshake::take_second(const Secret& secret, ByteView body, Instant now) {
  if (body.size() > kMaxMessage) return out_of_order();
  auto third = engine_->answer2(secret, body);
  if (!third) return refuse(std::move(third.error()));
  state_ = AwaitFourth{now + kAnswerTimeout};
  Outputs outputs;
  outputs.emplace_back(SendMessage{std::move(*third)});
  return outputs;
}

Handshake::Outputs Handshake::take_third(ByteView body) {
  if (body.size() > kMaxMessage) return out_of_order();
  auto verdict = engine_->answer3(body);
  if (!verdict) return refuse(std::move(verdict.error()));
  Outputs outputs;
  outputs.emplace_back(SendMessage{std::move(verdict->reply)});
  for (Output& last : verdict->equal ? prove() : refuse(mismatch())) {
    outputs.push_back(std::move(last));
  }
  return outputs;
}

Handshake::Outputs Handshake::take_fourth(ByteView body) {
  if (body.size() > kMaxMessage) return out_of_order();
  auto equal = engine_->check4(body);
  if (!equal) return refuse(std::move(equal.error()));
  return *equal ? prove() : refuse(mismatch());
}

Handshake::Outputs Handshake::out_of_order() {
  return refuse(broken_order());
}

Handshake::Outputs Handshake::prove() {
  engine_.reset();
  state_ = Proven{};
  return {Succeeded{}};
}

Handshake::Outputs Handshake::refuse(Error error) {
  engine_.reset();
  state_ = Refused{};
  return {Failed{std::move(error)}};
}

}  // namespace peersock::auth
