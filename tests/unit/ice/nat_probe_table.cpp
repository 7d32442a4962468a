#include "nat_probe_table.hpp"

#include "ice/nat_probe.hpp"

namespace peersock::testing {
namespace {

using namespace ice::nat;  // NOLINT(google-build-using-namespace)

const wire::StunAddress kServer{"203.0.113.1", 3478};
const wire::StunAddress kOther{"203.0.113.2", 3479};
const wire::StunAddress kOuter{"198.51.100.9", 40000};
const wire::StunAddress kNeighbour{"198.51.100.9", 40001};
constexpr Instant kNow = Instant{} + 1h;

BindingAnswered answer(RequestId id, const wire::StunAddress& mapped, bool with_other) {
  BindingAnswered answered{id, kServer, mapped, {}};
  if (with_other) answered.other = kOther;
  return answered;
}

template <typename... Inputs>
Situation<Probe> after(std::string name, Instant when, Inputs... inputs) {
  return {std::move(name), [=] {
            Probe machine({kServer, {}, {"192.168.1.2"}, {5000, 5001}});
            (static_cast<void>(machine.handle(inputs, when)), ...);
            return machine;
          }};
}

std::vector<Situation<Probe>> situations() {
  const Instant just_now = kNow - 100ms;
  const Instant a_while_ago = kNow - kTries[0];
  const auto first = answer(0, kOuter, true);
  const auto second = answer(1, kNeighbour, true);
  return {
      after("Idle", just_now),
      after("Asking", just_now, Started{}),
      after("Asking (again due)", a_while_ago, Started{}),
      after("Asking (second socket answered)", just_now, Started{}, second),
      after("Asking (first socket refused)", just_now, Started{}, BindingRefused{0}),
      after("Classifying (second socket waits)", just_now, Started{}, first),
      after("Classifying", just_now, Started{}, first, second),
      after("Classifying (again due)", a_while_ago, Started{}, first, second),
      after("Classifying (filter open)", just_now, Started{}, first, second,
            BindingAnswered{4, kOther, kNeighbour, {}}),
      after("Classifying (hairpin alone)", just_now, Started{}, answer(0, kOuter, false),
            answer(1, kNeighbour, false)),
      after("Done", just_now, Started{}, StopRequested{}),
  };
}

template <typename Input>
Example<Probe> example(std::string name, Input input) {
  return {std::move(name), [input] { return input; }};
}

std::vector<Example<Probe>> examples() {
  return {
      example("Started", Started{}),
      example("BindingAnswered (first socket)", answer(0, kOuter, true)),
      example("BindingAnswered (first socket, ordinary server)", answer(0, kOuter, false)),
      example("BindingAnswered (second socket)", answer(1, kNeighbour, true)),
      example("BindingAnswered (from the other address)",
              BindingAnswered{4, kOther, kNeighbour, {}}),
      example("BindingAnswered (unknown request)", answer(99, kOuter, true)),
      example("BindingRefused", BindingRefused{1}),
      example("SendFailed", SendFailed{1}),
      example("HairpinArrived", HairpinArrived{6}),
      example("HairpinArrived (ordinary server)", HairpinArrived{2}),
      example("StopRequested", StopRequested{}),
      example("DeadlineReached", DeadlineReached{}),
  };
}

}  // namespace

Table nat_probe_table() {
  return tabulate<Probe>(situations(), examples(), kNow);
}

}  // namespace peersock::testing
