#include "support/session_pair.hpp"

#include <utility>

#include "adapters/otr_smp.hpp"
#include "support/engines.hpp"
#include "support/quick_smp.hpp"
#include "support/virtual_clock.hpp"
#include "wire/code.hpp"

namespace peersock::testing {

Bytes pattern(std::size_t size, std::uint8_t salt) {
  Bytes bytes(size);
  std::uint32_t state = 0x9e3779b9U + salt;
  for (auto& octet : bytes) {
    state = state * 1664525U + 1013904223U;
    octet = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

SessionPair::SessionPair(PairOptions options)
    : world(options.seed, VirtualClock::now()),
      mailbox(world, options.mailbox),
      path(world, options.path),
      options_(std::move(options)) {
  world.set_clock(&VirtualClock::advance_to);
}

SessionPair::~SessionPair() = default;

VirtualHostConfig SessionPair::host_config(bool first, std::optional<std::string> code) {
  VirtualHostConfig config;
  config.name = first ? "A" : "BB";
  config.peer.mode = first ? options_.mode_a : options_.mode_b;
  config.peer.once = first ? options_.once_a : options_.once_b;
  config.peer.rendezvous_servers = {"ws://mailbox.test/v1"};
  config.peer.software = "peersock test";
  config.peer.peer_timeout = options_.peer_timeout;
  if (code) config.peer.code = wire::parse_code(*code).value();
  const EngineChoice engines = engines_under_test();
  const EngineKind kind = first ? engines.first : engines.second;
  config.make_engine = [kind] { return std::move(make_engine_of(kind).value()); };
  const auto& smp = first ? options_.smp_a : options_.smp_b;
  config.make_smp = smp                   ? smp
                    : options_.real_proof ? adapters::make_otr_smp_engine
                                          : make_quick_smp;
  if (!options_.target_refuses) {
    config.target = [this] {
      auto program = std::make_shared<LocalProgram>();
      program->to_send = options_.target_sends;
      targets_.push_back(program);
      return program;
    };
  }
  return config;
}

void SessionPair::start_first() {
  a = std::make_unique<VirtualHost>(world, mailbox, path, host_config(true, std::nullopt));
  a->start();
  static_cast<void>(world.run_until([&] { return a->code() || a->exit_code(); }, 300s));
}

void SessionPair::start() {
  start_first();
  if (a->code()) start_second();
}

void SessionPair::start_second() {
  const std::size_t dash = a->code()->find('-');
  const std::string typed = options_.typed_nameplate.value_or(a->code()->substr(0, dash)) + "-" +
                            options_.typed_words.value_or(a->code()->substr(dash + 1));
  b = std::make_unique<VirtualHost>(world, mailbox, path, host_config(false, typed));
  path.join(*a, *b);
  b->start();
}

bool SessionPair::until_authenticated(Duration limit) {
  return b &&
         world.run_until([&] { return a->saw("authenticated") && b->saw("authenticated"); }, limit);
}

bool SessionPair::until_ended(Duration limit) {
  return b && world.run_until([&] { return a->exit_code() && b->exit_code(); }, limit);
}

std::shared_ptr<LocalProgram> SessionPair::connect(Bytes to_send, bool finish) {
  auto program = std::make_shared<LocalProgram>();
  program->to_send = std::move(to_send);
  program->finish_after_sending = finish;
  a->connect_locally(program);
  return program;
}

std::string SessionPair::story() const {
  std::string text;
  for (const auto* host : {a.get(), b.get()}) {
    if (host == nullptr) continue;
    text += "--- " + host->name();
    if (host->exit_code())
      text += " ended with " + std::to_string(static_cast<int>(*host->exit_code()));
    if (host->error()) text += " error: " + host->error()->message;
    text += "\n";
    const auto& lines = host->trace();
    for (std::size_t i = lines.size() > 25 ? lines.size() - 25 : 0; i < lines.size(); ++i) {
      text += lines[i] + "\n";
    }
  }
  return text;
}

}  // namespace peersock::testing
