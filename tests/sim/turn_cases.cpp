#include "turn_cases.hpp"

#include <utility>

namespace peersock::testing {
namespace {

using sim::StunClass;
using sim::StunMethod;
using Act = std::function<void(TurnTalk&)>;

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTcp = 6;
constexpr const char* kAllocated = "allocate ok mapped relay for 600 s signed";
// Of coturn.
constexpr const char* kLater = "an allocation goes some time after it was given back (section 8.2)";
constexpr const char* kMismatch = "437 is for all requests without an allocation (section 5)";
constexpr const char* kUnauthorized = "allocate 401 realm nonce";

Act say(TurnSaying saying) {
  return [saying = std::move(saying)](TurnTalk& talk) { talk.say(saying); };
}
Act allocate(TurnSaying more = {}) {
  more.method = StunMethod::kAllocate;
  if (!more.transport) more.transport = kUdp;
  return say(std::move(more));
}
Act refresh(TurnSaying more = {}) {
  more.method = StunMethod::kRefresh;
  return say(std::move(more));
}
Act permit(std::vector<Peer> peers) {
  return say({.method = StunMethod::kCreatePermission, .peers = std::move(peers)});
}
Act bind(std::uint16_t channel, Peer peer) {
  return say({.method = StunMethod::kChannelBind, .peers = {peer}, .channel = channel});
}
Act send_to(Peer peer, std::string data) {
  return say({.kind = StunClass::kIndication,
              .method = StunMethod::kSend,
              .peers = {peer},
              .data = std::move(data)});
}
Act on_channel(std::uint16_t channel, std::string text) {
  return [channel, text = std::move(text)](TurnTalk& talk) {
    talk.say_on_channel(channel, text, text.size());
  };
}
Act peer_says(Peer peer, std::string text) {
  return [peer, text = std::move(text)](TurnTalk& talk) { talk.peer_says(peer, text); };
}

// The analyzer loses sight of what a std::function holds when it is copied out of a list.
// NOLINTBEGIN(clang-analyzer-cplusplus.NewDeleteLeaks)

/// The realm and the nonce are known, and there is an allocation.
std::vector<TurnStep> allocated(std::vector<TurnStep> more) {
  std::vector<TurnStep> all = {{allocate({.identity = Identity::kNone}), kUnauthorized},
                               {allocate(), kAllocated}};
  for (auto& step : more) all.push_back(std::move(step));
  return all;
}
/// Without the allocation.
std::vector<TurnStep> challenged(std::vector<TurnStep> more) {
  std::vector<TurnStep> all = {{allocate({.identity = Identity::kNone}), kUnauthorized}};
  for (auto& step : more) all.push_back(std::move(step));
  return all;
}

void add_credentials(std::vector<TurnCase>& all) {
  all.push_back({"binding",
                 {{say({.method = StunMethod::kBinding, .identity = Identity::kNone}),
                   "binding ok mapped"}}});
  all.push_back({"without-credentials",
                 {{allocate({.identity = Identity::kNone}), kUnauthorized},
                  {refresh({.identity = Identity::kNone}), "refresh 401 realm nonce"}}});
  all.push_back({"wrong-password",
                 challenged({{allocate({.identity = Identity::kWrongPassword}), kUnauthorized},
                             {allocate(), kAllocated}})});
  all.push_back({"unknown-user",
                 challenged({{allocate({.identity = Identity::kUnknownUser}), kUnauthorized}})});
  all.push_back(
      {"old-nonce",
       challenged({{allocate({.identity = Identity::kOldNonce}), "allocate 438 realm nonce"},
                   {allocate(), kAllocated},
                   {refresh({.identity = Identity::kOldNonce}), "refresh 438 realm nonce"}})});
  all.push_back({"half-an-identity",
                 challenged({{allocate({.identity = Identity::kNoUser}), "allocate 400"},
                             {allocate({.identity = Identity::kNoRealm}), "allocate 400"},
                             {allocate({.identity = Identity::kNoNonce}), "allocate 400"}})});
}

void add_allocations(std::vector<TurnCase>& all) {
  all.push_back({"allocate", allocated({})});
  all.push_back({"allocate-twice", allocated({{allocate(), "allocate 437 signed", "allocate 437",
                                               "it does not sign this one"}})});
  all.push_back({.name = "allocate-repeated",
                 .steps = allocated({{allocate({.repeated = true}), kAllocated}}),
                 .tcp = false});
  all.push_back({"transport-missing",
                 challenged({{say({.method = StunMethod::kAllocate}), "allocate 400 signed"}})});
  all.push_back(
      {"transport-unknown",
       challenged(
           {{allocate({.transport = 99}), "allocate 442 signed", "allocate 400 signed",
             "400 is for a missing one, 442 for one that is not supported (section 7.2)"}})});
  all.push_back({.name = "transport-tcp",
                 .steps = challenged({{allocate({.transport = kTcp}), "allocate 442 signed",
                                       "allocate 400 signed", "it relays TCP, but not for UDP"}}),
                 .tcp = false});
  all.push_back({.name = "transport-tcp-by-tcp",
                 .steps = challenged({{allocate({.transport = kTcp}), "allocate 442 signed",
                                       kAllocated, "it relays TCP (RFC 6062)"}}),
                 .udp = false});
  all.push_back({"family-ipv4", challenged({{allocate({.family = 1}), kAllocated}})});
  all.push_back({"family-ipv6", challenged({{allocate({.family = 2}), "allocate 440 signed"}})});
  all.push_back({"family-unknown", challenged({{allocate({.family = 9}), "allocate 440 signed"}})});
  all.push_back({"attribute-unknown",
                 challenged({{allocate({.attribute = 0x7f01}), "allocate 420 unknown=7f01 signed"},
                             {allocate({.attribute = 0xff01}), kAllocated}})});
  // DONT-FRAGMENT, which a server that cannot do it does not understand (section 7.2).
  all.push_back({"attribute-not-supported",
                 challenged({{allocate({.attribute = 0x001a}), "allocate 420 unknown=1a signed",
                              kAllocated, "it can"}})});
  all.push_back({"lifetime-short", challenged({{allocate({.lifetime = 60}), kAllocated}})});
  all.push_back({"lifetime-longer", challenged({{allocate({.lifetime = 1200}),
                                                 "allocate ok mapped relay for 1200 s signed"}})});
  all.push_back(
      {"lifetime-too-long", challenged({{allocate({.lifetime = 99999}),
                                         "allocate ok mapped relay for 3600 s signed"}})});
  all.push_back({"method-unknown",
                 allocated({{say({.method = static_cast<StunMethod>(0x00b)}), "", "method b 400",
                             "nothing is said to such a request (RFC 8489 section 6.3)"}})});
}

void add_refreshes(std::vector<TurnCase>& all) {
  all.push_back(
      {"refresh", allocated({{refresh(), "refresh ok for 600 s signed"},
                             {refresh({.lifetime = 60}), "refresh ok for 600 s signed"},
                             {refresh({.lifetime = 1200}), "refresh ok for 1200 s signed"},
                             {refresh({.lifetime = 99999}), "refresh ok for 3600 s signed"}})});
  all.push_back({"refresh-nothing", challenged({{refresh(), "refresh 437 signed"}})});
  all.push_back(
      {"refresh-other-family", allocated({{refresh({.family = 2}), "refresh 443 signed"}})});
  all.push_back({"refresh-attribute-unknown",
                 allocated({{refresh({.attribute = 0x7f01}), "refresh 420 unknown=7f01 signed"}})});
  all.push_back({"give-back", allocated({{permit({Peer::kFirst}), "permit ok signed"},
                                         {refresh({.lifetime = 0}), "refresh ok for 0 s signed"},
                                         {send_to(Peer::kFirst, "late"), "", "first: late", kLater},
                                         {refresh(), "refresh 437 signed",
                                          "refresh ok for 600 s signed", kLater}})});
  all.push_back({"give-back-and-allocate",
                 allocated({{refresh({.lifetime = 0}), "refresh ok for 0 s signed"},
                            {allocate(), "allocate ok mapped relay that is new for 600 s signed",
                             "allocate 437", kLater}})});
}

void add_permissions(std::vector<TurnCase>& all) {
  all.push_back(
      {"permit", allocated({{permit({Peer::kFirst}), "permit ok signed"},
                            {permit({Peer::kFirst, Peer::kSecond}), "permit ok signed"}})});
  all.push_back({"permit-nobody", allocated({{permit({}), "permit 400 signed"}})});
  all.push_back(
      {"permit-other-family", allocated({{permit({Peer::kIpv6}), "permit 443 signed"},
                                         {permit({Peer::kFirst, Peer::kIpv6}), "permit 443 signed"},
                                         {send_to(Peer::kFirst, "none of both"), ""}})});
  all.push_back(
      {"permit-without-allocation", challenged({{permit({Peer::kFirst}), "permit 437 signed",
                                                 "permit 400 signed", kMismatch}})});
  all.push_back({"send", allocated({{send_to(Peer::kFirst, "too soon"), ""},
                                    {permit({Peer::kFirst}), "permit ok signed"},
                                    {send_to(Peer::kFirst, "one"), "first: one"},
                                    // Permissions are for an address, whatever the port.
                                    {send_to(Peer::kFirstsNeighbour, "two"), "neighbour: two"},
                                    {send_to(Peer::kSecond, "three"), ""},
                                    {send_to(Peer::kFirst, ""), "first: "}})});
  all.push_back(
      {"send-half",
       allocated(
           {{permit({Peer::kFirst}), "permit ok signed"},
            {say({.kind = StunClass::kIndication,
                  .method = StunMethod::kSend,
                  .peers = {Peer::kFirst}}),
             ""},
            {say({.kind = StunClass::kIndication, .method = StunMethod::kSend, .data = "to whom?"}),
             ""},
            {say({.kind = StunClass::kIndication,
                  .method = StunMethod::kSend,
                  .peers = {Peer::kFirst},
                  .data = "strange",
                  .attribute = 0x7f01}),
             ""}})});
  // What the second one says comes behind, on the same socket of the server.
  all.push_back({"hear", allocated({{permit({Peer::kSecond}), "permit ok signed"},
                                    {peer_says(Peer::kFirst, "too soon"), ""},
                                    {peer_says(Peer::kSecond, "one"), "data from second: one"},
                                    {permit({Peer::kFirst}), "permit ok signed"},
                                    {peer_says(Peer::kFirst, "two"), "data from first: two"},
                                    {peer_says(Peer::kFirstsNeighbour, "three"),
                                     "data from neighbour: three"}})});
}

void add_channels(std::vector<TurnCase>& all) {
  all.push_back(
      {"channel",
       allocated({{on_channel(0x4000, "too soon"), ""},
                  {bind(0x4000, Peer::kFirst), "bind ok signed"},
                  {on_channel(0x4000, "one"), "first: one"},
                  {on_channel(0x4000, ""), "first: "},
                  {on_channel(0x4001, "another"), ""},
                  {peer_says(Peer::kFirst, "two"), "channel 4000: two"},
                  // The permission that comes with the channel is for all ports.
                  {peer_says(Peer::kFirstsNeighbour, "three"), "data from neighbour: three"},
                  {send_to(Peer::kFirst, "four"), "first: four"}})});
  all.push_back(
      {"channel-again", allocated({{bind(0x4000, Peer::kFirst), "bind ok signed"},
                                   {bind(0x4000, Peer::kFirst), "bind ok signed"},
                                   {bind(0x4000, Peer::kSecond), "bind 400 signed"},
                                   {bind(0x4001, Peer::kFirst), "bind 400 signed"},
                                   {bind(0x4001, Peer::kFirstsNeighbour), "bind ok signed"},
                                   {on_channel(0x4000, "one"), "first: one"},
                                   {on_channel(0x4001, "two"), "neighbour: two"},
                                   {send_to(Peer::kSecond, "not permitted"), ""}})});
  all.push_back(
      {"channel-numbers", allocated({{bind(0x4fff, Peer::kFirst), "bind ok signed"},
                                     {bind(0x3fff, Peer::kSecond), "bind 400 signed"},
                                     {bind(0x5000, Peer::kSecond), "bind 400 signed",
                                      "bind ok signed", "up to 0x7fff, as in RFC 5766 section 11"},
                                     {bind(0x8000, Peer::kSecond), "bind 400 signed"}})});
  all.push_back(
      {"channel-half",
       allocated(
           {{say({.method = StunMethod::kChannelBind, .peers = {Peer::kFirst}}), "bind 400 signed"},
            {say({.method = StunMethod::kChannelBind, .channel = 0x4000}), "bind 400 signed"},
            {bind(0x4000, Peer::kIpv6), "bind 443 signed"},
            {say({.method = StunMethod::kChannelBind,
                  .peers = {Peer::kFirst},
                  .channel = 0x4000,
                  .attribute = 0x7f01}),
             "bind 420 unknown=7f01 signed"}})});
  all.push_back(
      {"channel-without-allocation", challenged({{bind(0x4000, Peer::kFirst), "bind 437 signed",
                                                  "bind 400 signed", kMismatch}})});
  // What is longer than its datagram says is no message; what is shorter is padded.
  all.push_back(
      {.name = "channel-lengths",
       .steps = allocated(
           {{bind(0x4000, Peer::kFirst), "bind ok signed"},
            {[](TurnTalk& talk) { talk.say_on_channel(0x4000, "half", 8); }, ""},
            {[](TurnTalk& talk) { talk.say_on_channel(0x4000, "pad!", 3); }, "first: pad"}}),
       .tcp = false});
}

}  // namespace

std::vector<TurnCase> turn_cases() {
  std::vector<TurnCase> all;
  add_credentials(all);
  add_allocations(all);
  add_refreshes(all);
  add_permissions(all);
  add_channels(all);
  return all;
}

// NOLINTEND(clang-analyzer-cplusplus.NewDeleteLeaks)
}  // namespace peersock::testing
