#include "restarts_table.hpp"

#include "ice/restarts.hpp"
#include "negotiation_fixture.hpp"

namespace peersock::testing {
namespace {

using ice::Restarts;

/// A machine that has been through `inputs`, all at `when`.
template <typename... Inputs>
Situation<Restarts> after(std::string name, Instant when, Inputs... inputs) {
  return {std::move(name), [=] {
            Restarts machine;
            (static_cast<void>(machine.handle(inputs, when)), ...);
            return machine;
          }};
}

std::vector<Situation<Restarts>> situations() {
  const Instant recently = kNow - 100ms;
  const ice::RestartsAgreed agreed;
  const ice::ChecksBegan began;
  const ice::DataFlows flows;
  const ice::NetworkChanged changed;
  const ice::MessageReceived joined{1, "{}"};
  const ice::SearchSucceeded found{1, direct_path()};
  const ice::SearchFailed first_failed{0, {ErrorKind::kNoPath, "none"}};
  const ice::SearchFailed failed{1, {ErrorKind::kNoPath, "none"}};
  return {
      after("Single", recently),
      after("Agreed", recently, agreed),
      after("Agreed (checking)", recently, agreed, began),
      after("Agreed (second search due)", kNow - ice::kSecondSearchAfter, agreed, began),
      after("Agreed (following)", recently, agreed, joined),
      after("Agreed (first search failed)", recently, agreed, joined, first_failed),
      after("Steady", recently, agreed, flows),
      after("Steady (to be asked)", kNow - ice::kProbeAfter, agreed, flows),
      after("Steady (replaced)", recently, agreed, flows, changed, found),
      after("Steady (old path to be dropped)", kNow - ice::kLinger, agreed, flows, changed, found),
      after("Searching", recently, agreed, flows, changed),
      after("Searching (following)", recently, agreed, flows, joined),
      after("Searching (outdated)", recently, agreed, flows, changed, changed),
      after("Searching (outdated, due)", kNow - ice::kFirstPause, agreed, flows, changed, changed),
      after("Pausing", recently, agreed, flows, changed, found, changed),
      after("Pausing (due)", kNow - ice::kFirstPause, agreed, flows, changed, found, changed),
      after("Steady (search failed)", recently, agreed, flows, changed, failed),
      after("Steady (far too long)", kNow - ice::kSilenceLimit, agreed, flows),
      {"Lost",
       [=] {
         Restarts machine;
         static_cast<void>(machine.handle(agreed, recently));
         static_cast<void>(machine.handle(flows, recently));
         static_cast<void>(machine.handle(DeadlineReached{}, recently + ice::kSilenceLimit));
         return machine;
       }},
  };
}

template <typename Input>
Example<Restarts> example(std::string name, Input input) {
  return {std::move(name), [input] { return input; }};
}

std::vector<Example<Restarts>> examples() {
  const Error error{ErrorKind::kNoPath, "none"};
  return {
      example("RestartsAgreed", ice::RestartsAgreed{}),
      example("ChecksBegan", ice::ChecksBegan{}),
      example("DataFlows", ice::DataFlows{}),
      example("PeerHeard", ice::PeerHeard{kNow}),
      example("NetworkChanged", ice::NetworkChanged{}),
      example("MessageReceived (generation 0)", ice::MessageReceived{0, "{}"}),
      example("MessageReceived (generation 1)", ice::MessageReceived{1, "{}"}),
      example("MessageReceived (generation 2)", ice::MessageReceived{2, "{}"}),
      example("SearchSucceeded (generation 0)", ice::SearchSucceeded{0, direct_path()}),
      example("SearchSucceeded (generation 1)", ice::SearchSucceeded{1, direct_path()}),
      example("SearchBroke (generation 0)", ice::SearchBroke{0}),
      example("SearchBroke (generation 1)", ice::SearchBroke{1}),
      example("SearchFailed (generation 0)", ice::SearchFailed{0, error}),
      example("SearchFailed (generation 1)", ice::SearchFailed{1, error}),
      example("DeadlineReached", DeadlineReached{}),
  };
}

}  // namespace

Table restarts_table() {
  return tabulate<Restarts>(situations(), examples(), kNow);
}

}  // namespace peersock::testing
