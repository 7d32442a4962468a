#include "handshake_table.hpp"

#include "auth/handshake.hpp"
#include "scripted_engine.hpp"

namespace peersock::testing {
namespace {

using auth::FirstReceived;
using auth::Handshake;
using auth::MessageReceived;
using auth::Role;
using auth::Started;

constexpr Instant kStart{};
constexpr Instant kInTime = kStart + auth::kAnswerTimeout - 1ns;
constexpr Instant kTooLate = kStart + auth::kAnswerTimeout;

/// A machine that has seen `messages` in order at kStart, after Started if `started`; a responder
/// has seen the first message before that.
Handshake brought_to(Role role, bool started, const std::vector<Bytes>& messages) {
  static EngineLog log;
  log.calls.clear();
  Handshake machine(role, scripted_engine(log));
  if (started && role == Role::kResponder) {
    (void)machine.handle(FirstReceived{scripted_message(1, "run")}, kStart);
  }
  if (started) (void)machine.handle(Started{Secret(std::string_view("secret"))}, kStart);
  for (const Bytes& message : messages) (void)machine.handle(MessageReceived{message}, kStart);
  return machine;
}

Handshake with_first_checked() {
  Handshake machine = brought_to(Role::kResponder, false, {});
  (void)machine.handle(FirstReceived{scripted_message(1, "run")}, kStart);
  return machine;
}

Situation<Handshake> situation(std::string name, Role role, bool started,
                               const std::vector<Bytes>& messages) {
  return {std::move(name), [=] { return brought_to(role, started, messages); }};
}

std::vector<Situation<Handshake>> situations() {
  const Bytes second = scripted_message(2, "run");
  const Bytes third = scripted_message(3, "run");
  const Bytes fourth = scripted_message(4, "run");
  return {
      situation("Idle (initiator)", Role::kInitiator, false, {}),
      situation("Idle (responder)", Role::kResponder, false, {}),
      situation("Idle (initiator, second message early)", Role::kInitiator, false, {second}),
      {"FirstChecked", with_first_checked},
      situation("AwaitSecond", Role::kInitiator, true, {}),
      situation("AwaitThird", Role::kResponder, true, {}),
      situation("AwaitFourth", Role::kInitiator, true, {second}),
      situation("Proven (initiator)", Role::kInitiator, true, {second, fourth}),
      situation("Proven (responder)", Role::kResponder, true, {third}),
      situation("Refused", Role::kResponder, true, {second}),
  };
}

Example<Handshake> first(std::string name, const Bytes& body) {
  return {std::move(name), [body] { return FirstReceived{body}; }};
}

Example<Handshake> message(std::string name, const Bytes& body) {
  return {std::move(name), [body] { return MessageReceived{body}; }};
}

std::vector<Example<Handshake>> inputs_in_time() {
  const Example<Handshake> started{"Started",
                                   [] { return Started{Secret(std::string_view("secret"))}; }};
  return {
      first("FirstReceived", scripted_message(1, "run")),
      first("FirstReceived (malformed)", scripted_message(1, "old")),
      first("FirstReceived (too long)", Bytes(auth::kMaxMessage + 1, 'x')),
      started,
      message("MessageReceived (1st)", scripted_message(1, "run")),
      message("MessageReceived (2nd)", scripted_message(2, "run")),
      message("MessageReceived (3rd)", scripted_message(3, "run")),
      message("MessageReceived (3rd, secrets differ)", scripted_message(3, "run", false)),
      message("MessageReceived (4th)", scripted_message(4, "run")),
      message("MessageReceived (4th, secrets differ)", scripted_message(4, "run", false)),
      message("MessageReceived (of an old run)", scripted_message(2, "old")),
      message("MessageReceived (too long)", Bytes(auth::kMaxMessage + 1, 'x')),
      {"DeadlineReached (early)", [] { return DeadlineReached{}; }},
  };
}

}  // namespace

Table handshake_table() {
  Table table = tabulate<Handshake>(situations(), inputs_in_time(), kInTime);
  const std::vector<Example<Handshake>> late{
      {"DeadlineReached (due)", [] { return DeadlineReached{}; }}};
  for (TableRow& row : tabulate<Handshake>(situations(), late, kTooLate)) {
    table.push_back(std::move(row));
  }
  return table;
}

}  // namespace peersock::testing
