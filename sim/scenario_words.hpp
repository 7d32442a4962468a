// The words that results and files of scenarios have for what is one of a few.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "scenario.hpp"

namespace peersock::sim {

template <typename T>
using Word = std::pair<T, std::string_view>;

// Those of natbox's command line.
inline constexpr std::array<Word<testbed::Dependence>, 3> kDependences{{
    {testbed::Dependence::Independent, "endpoint-independent"},
    {testbed::Dependence::Address, "address-dependent"},
    {testbed::Dependence::AddressAndPort, "address-and-port-dependent"},
}};
inline constexpr std::array<Word<testbed::Ports>, 3> kPorts{{
    {testbed::Ports::Preserved, "preserved"},
    {testbed::Ports::Random, "random"},
    {testbed::Ports::Sequential, "sequential"},
}};
inline constexpr std::array<Word<adapters::QuicEngine>, 2> kEngines{{
    {adapters::QuicEngine::kOpenSsl, "openssl"},
    {adapters::QuicEngine::kNgtcp2, "ngtcp2"},
}};
inline constexpr std::array<Word<adapters::PathPolicy>, 2> kPaths{{
    {adapters::PathPolicy::kAuto, "auto"},
    {adapters::PathPolicy::kNice, "nice"},
}};
inline constexpr std::array<Word<Who>, 2> kSides{{
    {Who::kListener, "listener"},
    {Who::kConnector, "connector"},
}};
inline constexpr std::array<Word<What>, 15> kWhats{{
    {What::kMailboxDown, "mailbox-down"},
    {What::kMailboxRestarts, "mailbox-restarts"},
    {What::kListenerUnplugged, "listener-unplugged"},
    {What::kConnectorUnplugged, "connector-unplugged"},
    {What::kListenerNatReboots, "listener-nat-reboots"},
    {What::kConnectorNatReboots, "connector-nat-reboots"},
    {What::kListenerInterrupted, "listener-interrupted"},
    {What::kConnectorInterrupted, "connector-interrupted"},
    {What::kListenerMoves, "listener-moves"},
    {What::kConnectorMoves, "connector-moves"},
    {What::kListenerClockJumps, "listener-clock-jumps"},
    {What::kConnectorClockJumps, "connector-clock-jumps"},
    {What::kMailboxClockJumps, "mailbox-clock-jumps"},
    {What::kMailboxMoves, "mailbox-moves"},
    {What::kTurnRestarts, "turn-restarts"},
}};
inline constexpr std::array<Word<When>, 5> kWhens{{
    {When::kListenerStarted, "listener-started"},
    {When::kConnectorStarted, "connector-started"},
    {When::kAuthenticated, "authenticated"},
    {When::kHalfWay, "half-way"},
    {When::kStep, "step"},
}};
inline constexpr std::array<Word<Outcome>, 5> kOutcomes{{
    {Outcome::kDirect, "direct"},
    {Outcome::kRelayed, "relayed"},
    {Outcome::kNoPath, "no_path"},
    {Outcome::kLost, "lost"},
    {Outcome::kBroken, "broken"},
}};

constexpr const auto& words_of(testbed::Dependence /*kind*/) {
  return kDependences;
}
constexpr const auto& words_of(testbed::Ports /*kind*/) {
  return kPorts;
}
constexpr const auto& words_of(adapters::QuicEngine /*kind*/) {
  return kEngines;
}
constexpr const auto& words_of(adapters::PathPolicy /*kind*/) {
  return kPaths;
}
constexpr const auto& words_of(Who /*kind*/) {
  return kSides;
}
constexpr const auto& words_of(What /*kind*/) {
  return kWhats;
}
constexpr const auto& words_of(When /*kind*/) {
  return kWhens;
}
constexpr const auto& words_of(Outcome /*kind*/) {
  return kOutcomes;
}

template <typename T>
concept Worded = requires(T value) {
  words_of(value);
};

/// Empty for what is none of its kind.
template <Worded T>
constexpr std::string_view word_for(T value) {
  for (const auto& [known, word] : words_of(value)) {
    if (known == value) return word;
  }
  return {};
}

}  // namespace peersock::sim
