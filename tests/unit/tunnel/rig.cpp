#include "rig.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "core/machine.hpp"

namespace peersock::tunnel::testing {

using peersock::testing::FakeChannel;

ConnectionId Side::accept(const Local& local) {
  const ConnectionId id = tunnel_.local_accepted(std::make_unique<FakeChannel>(local));
  if (id != 0) locals[id] = local;
  commands();
  return id;
}

void Side::connect(ConnectionId id, const Local& local) {
  locals[id] = local;
  tunnel_.target_connected(id, std::make_unique<FakeChannel>(local));
  commands();
}

bool Side::facts() {
  bool any = false;
  while (const auto fact = quic_.poll_event()) {
    any = true;
    tunnel_.on_fact(*fact);
    commands();
  }
  return any;
}

bool Side::ready(ConnectionId id) {
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

bool Side::step() {
  bool any = facts();
  // Connections may come while the channels are looked at, but none is taken off the map.
  for (const auto& [id, local] : locals) any = ready(id) || any;
  return any;
}

void Side::commands() {
  while (const auto next = tunnel_.poll_command()) carry_out(*next);
}

void Side::carry_out(const TunnelCommand& command) {
  const auto note = [&](const std::string& what, ConnectionId id) {
    log.push_back(what + " " + std::to_string(id));
  };
  std::visit(Overloaded{
                 [&](const command::ConnectTarget& it) {
                   note("connect", it.connection);
                   ++headers_;
                   if (hold) return;
                   auto local = std::make_shared<FakeLocal>();
                   local->room = target_room;
                   locals[it.connection] = local;
                   tunnel_.target_connected(it.connection, std::make_unique<FakeChannel>(local));
                 },
                 [&](const command::CancelTarget& it) { note("cancel", it.connection); },
                 [&](const command::PauseAccepting&) { log.emplace_back("pause"); },
                 [&](const command::ResumeAccepting&) { log.emplace_back("resume"); },
                 [&](const command::ReportOpened& it) { note("opened", it.connection); },
                 [&](const command::ReportClosed& it) {
                   note(std::string(to_string(it.closed.reason)), it.closed.id);
                   closed_.push_back(it.closed);
                 },
                 [&](const command::Finished& it) {
                   log.emplace_back("finished");
                   finished = it;
                 },
             },
             command);
}

const event::ConnectionClosed* Side::closed(ConnectionId id) const {
  for (const auto& closed : closed_) {
    if (closed.id == id) return &closed;
  }
  return nullptr;
}

std::uint64_t Side::kept() const {
  std::uint64_t delivered = 0;
  for (const auto& [id, local] : locals) delivered += local->output.size();
  return quic_.octets_read() - headers_ - delivered;
}

std::string Side::misuse() const {
  std::string all = quic_.misuse();
  for (const auto& [id, local] : locals) all += local->misuse;
  return all;
}

Rig::Rig(const RigConfig& config)
    : pair(config.opener, config.acceptor),
      opener({.opener = true, .single = config.single}, pair.client()),
      acceptor({.opener = false, .single = config.single || config.acceptor_single},
               pair.server()) {
  pair.establish();
}

Rig::~Rig() {
  EXPECT_EQ(opener.misuse(), "");
  EXPECT_EQ(acceptor.misuse(), "");
}

void Rig::run() {
  for (int rounds = 0; rounds < 1'000'000; ++rounds) {
    bool any = opener.step();
    any = acceptor.step() || any;
    any = pair.carry(pair.client(), pair.server()) || any;
    any = pair.carry(pair.server(), pair.client()) || any;
    if (!any) return;
  }
  FAIL() << "the tunnels do not come to rest";
}

Rig::Connection Rig::open() {
  Connection made;
  made.near = std::make_shared<FakeLocal>();
  made.near_id = opener.accept(made.near);
  run();
  if (!acceptor.locals.empty()) {
    made.far_id = acceptor.locals.rbegin()->first;
    made.far = acceptor.locals.rbegin()->second;
  }
  return made;
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

}  // namespace peersock::tunnel::testing
