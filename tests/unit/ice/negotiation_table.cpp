#include "negotiation_table.hpp"

#include "negotiation_fixture.hpp"

namespace peersock::testing {
namespace {

using ice::Negotiation;

/// A machine that has been through `inputs`, all at `when`.
template <typename... Inputs>
Situation<Negotiation> after(std::string name, Instant when, Inputs... inputs) {
  return {std::move(name), [=] {
            ice::NegotiationConfig config;
            config.has_relay = true;
            Negotiation machine(config);
            (static_cast<void>(machine.handle(inputs, when)), ...);
            return machine;
          }};
}

std::vector<Situation<Negotiation>> situations() {
  const Instant recently = kNow - 1s;
  const Instant long_ago = kNow - ice::kPathTimeout;
  const auto ours = local_credentials();
  const auto theirs = peer_credentials();
  const ice::ChannelOpened opened;
  const auto done = ice::LocalGatheringDone{};
  const auto selected = ice::PairSelected{direct_path()};
  return {
      after("Gathering", recently),
      after("Gathering (credentials made)", recently, ours, found("192.0.2.1")),
      after("Gathering (peer was faster)", recently, theirs),
      after("Gathering (both offers there)", recently, ours, theirs),
      after("Exchanging (no credentials yet)", recently, opened),
      after("Exchanging (peer was faster)", recently, opened, theirs),
      after("Exchanging", recently, ours, opened),
      after("Exchanging (batch due)", kNow - ice::kTrickleBatch, ours, opened, found("192.0.2.1")),
      after("Exchanging (overdue)", long_ago, ours, opened),
      after("Checking", recently, ours, opened, theirs),
      after("Checking (all told)", recently, ours, opened, theirs, done, peer_end()),
      after("Checking (overdue)", long_ago, ours, opened, theirs),
      after("Connected", recently, ours, opened, theirs, selected),
      after("Broken", recently, ours, opened, theirs, selected, ice::AgentFailed{}),
      after("Failed", recently, ours, opened, ice::PeerMessageReceived{"rubbish"}),
  };
}

template <typename Input>
Example<Negotiation> example(std::string name, Input input) {
  return {std::move(name), [input] { return input; }};
}

std::vector<Example<Negotiation>> examples() {
  wire::IceMessage restart;
  restart.generation = 1;
  return {
      example("LocalCredentialsMade", local_credentials()),
      example("LocalCandidateFound", found("192.0.2.9")),
      example("LocalGatheringDone", ice::LocalGatheringDone{}),
      example("ChannelOpened", ice::ChannelOpened{}),
      example("PeerMessageReceived (credentials)", peer_credentials()),
      example("PeerMessageReceived (candidate)", peer_candidates({candidate("192.0.2.2")})),
      example("PeerMessageReceived (end)", peer_end()),
      example("PeerMessageReceived (restart)", peer_message(restart)),
      example("PeerMessageReceived (malformed)", ice::PeerMessageReceived{"rubbish"}),
      example("PairSelected", ice::PairSelected{direct_path()}),
      example("PairSelected (relayed)", ice::PairSelected{relayed_path()}),
      example("AgentFailed", ice::AgentFailed{}),
      example("ChecksFinished", ice::ChecksFinished{}),
      example("DeadlineReached", DeadlineReached{}),
  };
}

}  // namespace

Table negotiation_table() {
  return tabulate<Negotiation>(situations(), examples(), kNow);
}

}  // namespace peersock::testing
