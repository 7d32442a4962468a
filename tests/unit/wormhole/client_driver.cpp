#include "client_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wormhole/keys.hpp"

namespace peersock::testing {

using nlohmann::json;
using namespace wormhole;

std::string welcome_frame() {
  return json{{"type", "welcome"}, {"welcome", json::object()}, {"server_tx", 1.5}}.dump();
}
std::string allocated_frame(const std::string& nameplate) {
  return json{{"type", "allocated"}, {"nameplate", nameplate}}.dump();
}
std::string claimed_frame(const std::string& mailbox) {
  return json{{"type", "claimed"}, {"mailbox", mailbox}}.dump();
}
std::string plain_frame(const std::string& type) {
  return json{{"type", type}}.dump();
}
std::string error_frame(const std::string& text, const std::string& request) {
  return json{{"type", "error"}, {"error", text}, {"orig", {{"type", request}}}}.dump();
}
std::string message_frame(const std::string& side, const std::string& phase,
                          const std::string& body) {
  return json{{"type", "message"}, {"side", side}, {"phase", phase}, {"body", body}}.dump();
}

namespace {

ClientConfig config_for(const std::optional<std::string>& code, std::vector<std::string> servers) {
  ClientConfig config;
  config.appid = kTestAppId;
  config.side = kOurSide;
  config.servers = std::move(servers);
  if (code) config.code = wire::parse_code(*code).value();
  config.app_versions = {{"name", "alice"}};
  return config;
}

std::string text_member(const json& object, const char* name) {
  return object.contains(name) ? ' ' + object.at(name).get<std::string>() : std::string();
}

}  // namespace

Driver::Driver(const std::optional<std::string>& given, std::uint64_t seed)
    : Driver(given, std::vector<std::string>{kServer}, seed) {}

Driver::Driver(const std::optional<std::string>& given, std::vector<std::string> servers,
               std::uint64_t seed)
    : rng(seed), client(config_for(given, std::move(servers)), rng) {}

void Driver::give(ClientInput input) {
  for (const auto& output : client.handle(std::move(input), now)) note(output);
}

void Driver::echo(const std::string& phase) {
  say(message_frame(kOurSide, phase, body_of(phase)));
}

void Driver::queue(const std::string& text) {
  give(PayloadQueued{to_bytes(text)});
}

void Driver::sleep_until_deadline() {
  now = client.deadline().value();
  give(DeadlineReached{});
}

void Driver::sleep(Duration duration) {
  now += duration;
  give(DeadlineReached{});
}

std::vector<std::string> Driver::take() {
  return std::exchange(did_, {});
}

std::string Driver::body_of(const std::string& phase) const {
  for (auto it = added.rbegin(); it != added.rend(); ++it) {
    if (it->first == phase) return it->second;
  }
  return {};
}

std::string Driver::note_frame(const std::string& frame) {
  frames.push_back(frame);
  const json request = json::parse(frame);
  const auto type = request.at("type").get<std::string>();
  if (type == "add") added.emplace_back(request.at("phase"), request.at("body"));
  std::string text = type;
  for (const char* name : {"nameplate", "mailbox", "phase", "mood"}) {
    text += text_member(request, name);
  }
  return text;
}

void Driver::note(const ClientOutput& output) {
  std::string text(name_of(output));
  std::visit(Overloaded{
                 [&](const SendFrame& o) { text = note_frame(o.frame); },
                 [&](const OpenLink& o) { url = o.url; },
                 [&](const Joined& o) { joined = o.url; },
                 [&](const Warned& o) { warning = o.message; },
                 [&](const CodeReady& o) {
                   code = o.code.canonical().reveal_text();
                   spoken = o.code.spoken().reveal_text();
                 },
                 [&](const PeerSeen& o) { peer_side = o.peer_side; },
                 [&](const PeerVerified& o) {
                   peer_versions = o.app_versions;
                   smp_key = to_hex(o.wormhole_key.reveal());
                 },
                 [&](const PayloadReceived& o) { payloads.emplace_back(as_text(o.payload)); },
                 [&](const Failed& o) {
                   error = o.error;
                   text += ' ';
                   text += to_string(o.error.kind);
                 },
                 [](const auto&) {},
             },
             output);
  did_.push_back(text);
}

FakePeer::FakePeer(const std::string& code, std::string side)
    : side_(std::move(side)),
      spake_(wire::parse_code(code).value().canonical(), as_bytes(kTestAppId), rng_) {}

std::string FakePeer::pake() const {
  const json body = {{"pake_v1", to_hex(spake_.message())}};
  return message_frame(side_, "pake", to_hex(as_bytes(body.dump())));
}

void FakePeer::meet(const Driver& driver) {
  const Bytes body = from_hex(driver.body_of("pake")).value();
  const auto hex = json::parse(as_text(body)).at("pake_v1").get<std::string>();
  key_ = std::move(spake_.finish(from_hex(hex).value()).value());
}

std::string FakePeer::version(const json& app_versions) {
  return sealed("version", json{{"app_versions", app_versions}}.dump());
}

std::string FakePeer::sealed(const std::string& phase, const std::string& plain) {
  const Bytes body = encrypt(phase_key(key_, side_, phase), as_bytes(plain), rng_);
  return message_frame(side_, phase, to_hex(body));
}

std::optional<std::string> FakePeer::read(const Driver& driver, const std::string& phase) const {
  const Bytes body = from_hex(driver.body_of(phase)).value();
  const auto plain = decrypt(phase_key(key_, kOurSide, phase), body);
  if (!plain) return std::nullopt;
  return std::string(as_text(*plain));
}

std::string FakePeer::smp_key() const {
  return to_hex(derive_key(key_, "peersock/smp").reveal());
}

void advance(Driver& driver, FakePeer& peer, Step step) {
  driver.start();
  driver.up();
  driver.say(welcome_frame());
  if (step == Step::kClaiming) return;
  driver.say(claimed_frame());
  peer.meet(driver);
  if (step == Step::kOpening) return;
  driver.echo("pake");
  if (step == Step::kAwaitPake) return;
  driver.say(peer.pake());
  if (step == Step::kAwaitVersion) return;
  driver.say(peer.version());
}

void reconnect(Driver& driver) {
  static_cast<void>(driver.take());
  driver.sleep_until_deadline();
  ASSERT_THAT(driver.take(), ::testing::ElementsAre("OpenLink"));
  driver.up();
}

}  // namespace peersock::testing
