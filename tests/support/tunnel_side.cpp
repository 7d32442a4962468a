#include "support/tunnel_side.hpp"

#include <utility>

#include "core/machine.hpp"

namespace peersock::testing {

tunnel::ConnectionId TunnelSide::accept(const Local& local) {
  const tunnel::ConnectionId id = tunnel_.local_accepted(std::make_unique<FakeChannel>(local));
  if (id != 0) locals[id] = local;
  commands();
  return id;
}

void TunnelSide::connect(tunnel::ConnectionId id, const Local& local) {
  locals[id] = local;
  tunnel_.target_connected(id, std::make_unique<FakeChannel>(local));
  commands();
}

void TunnelSide::fail(tunnel::ConnectionId id, CloseReason reason, const std::string& message) {
  tunnel_.target_failed(id, {reason, message});
  commands();
}

void TunnelSide::credit(quic::StreamId stream, std::uint32_t octets) {
  tunnel_.credit_received(stream, octets);
  commands();
}

void TunnelSide::shut_down() {
  tunnel_.shut_down();
  commands();
}

void TunnelSide::fact(const quic::ConnectionFact& fact) {
  tunnel_.on_fact(fact);
  commands();
}

bool TunnelSide::facts() {
  bool any = false;
  while (const auto next = quic_.poll_event()) {
    any = true;
    fact(*next);
  }
  return any;
}

bool TunnelSide::ready(tunnel::ConnectionId id) {
  const auto found = locals.find(id);
  if (found == locals.end() || found->second->closed) return false;
  FakeLocal& local = *found->second;
  const bool readable = local.watch_readable && local.readable();
  const bool writable = local.watch_writable && local.writable();
  if (!readable && !writable) return false;
  tunnel_.local_ready(id, readable, writable);
  commands();
  return true;
}

bool TunnelSide::ready() {
  bool any = false;
  // Connections may come while the channels are looked at, but none is taken off the map.
  for (const auto& [id, local] : locals) any = ready(id) || any;
  return any;
}

void TunnelSide::commands() {
  while (const auto next = tunnel_.poll_command()) carry_out(*next);
}

void TunnelSide::carry_out(const tunnel::TunnelCommand& command) {
  const auto note = [&](const std::string& what, tunnel::ConnectionId id) {
    log.push_back(what + " " + std::to_string(id));
  };
  std::visit(Overloaded{
                 [&](const tunnel::command::ConnectTarget& it) {
                   note("connect", it.connection);
                   ++headers_;
                   if (hold) return;
                   auto local = std::make_shared<FakeLocal>();
                   local->room = target_room;
                   locals[it.connection] = local;
                   tunnel_.target_connected(it.connection, std::make_unique<FakeChannel>(local));
                 },
                 [&](const tunnel::command::CancelTarget& it) { note("cancel", it.connection); },
                 [&](const tunnel::command::PauseAccepting&) { log.emplace_back("pause"); },
                 [&](const tunnel::command::ResumeAccepting&) { log.emplace_back("resume"); },
                 [&](const tunnel::command::ReportOpened& it) { note("opened", it.connection); },
                 [&](const tunnel::command::ReportClosed& it) {
                   note(std::string(to_string(it.closed.reason)), it.closed.id);
                   closed_.push_back(it.closed);
                 },
                 [&](const tunnel::command::GrantCredit& it) { grants.push_back(it); },
                 [&](const tunnel::command::Finished& it) {
                   log.emplace_back("finished");
                   finished = it;
                 },
             },
             command);
}

const event::ConnectionClosed* TunnelSide::closed(tunnel::ConnectionId id) const {
  for (const auto& closed : closed_) {
    if (closed.id == id) return &closed;
  }
  return nullptr;
}

std::uint64_t TunnelSide::delivered() const {
  std::uint64_t octets = 0;
  for (const auto& [id, local] : locals) octets += local->output.size();
  return octets;
}

std::string TunnelSide::misuse() const {
  std::string all;
  for (const auto& [id, local] : locals) all += local->misuse;
  return all;
}

std::string pattern(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& octet : text) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace peersock::testing
