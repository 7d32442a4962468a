#include "client_world.hpp"

#include <utility>

#include "client_driver.hpp"

namespace peersock::testing {

using namespace wormhole;

namespace {

ClientConfig config_for(std::string side, const std::optional<std::string>& code) {
  ClientConfig config;
  config.appid = kTestAppId;
  config.app_versions = {{"name", side}};
  config.side = std::move(side);
  config.servers = {"ws://mailbox.test/v1"};
  if (code) config.code = wire::parse_code(*code).value();
  // More than all faults of a run take together.
  config.link_timeout = std::chrono::minutes(5);
  return config;
}

}  // namespace

WorldClient::WorldClient(VirtualWorld& world, VirtualMailbox& mailbox, std::string side,
                         const std::optional<std::string>& given)
    : world_(world),
      mailbox_(mailbox),
      runner_(Client(config_for(std::move(side), given), world.rng()), *this) {}

void WorldClient::give(ClientInput input) {
  runner_.post(std::move(input));
  pump();
}

void WorldClient::pump() {
  while (runner_.step(world_.now())) {
  }
  arm();
}

void WorldClient::arm() {
  const auto due = runner_.deadline();
  if (!due || (armed_ && *armed_ <= *due && *armed_ > world_.now())) return;
  armed_ = due;
  world_.after(*due - world_.now(), [this] {
    runner_.wake(world_.now());
    pump();
  });
}

void WorldClient::break_link() {
  if (!link_) return;
  mailbox_.cut(*link_);
}

void WorldClient::count_frame() {
  ++frames;
  if (break_at_ != frames) return;
  world_.after(0ns, [this] { break_link(); });
}

void WorldClient::open_link() {
  // A handler of an older link finds another number here and says nothing.
  auto own = std::make_shared<std::optional<ConnectionId>>();
  const auto current = [this, own] { return *own == link_; };
  link_ = mailbox_.connect({
      [this, current] {
        if (current()) give(LinkUp{});
      },
      [this, current](std::string frame) {
        if (!current()) return;
        give(FrameReceived{std::move(frame)});
        count_frame();
      },
      [this, current](std::string reason) {
        if (!current()) return;
        link_.reset();
        give(LinkLost{std::move(reason)});
      },
  });
  *own = link_;
}

void WorldClient::perform(ClientOutput output, Instant /*now*/) {
  std::visit(Overloaded{
                 [&](OpenLink&) { open_link(); },
                 [&](SendFrame& o) {
                   if (link_) mailbox_.send(*link_, std::move(o.frame));
                   count_frame();
                 },
                 [&](CloseLink&) {
                   if (link_) mailbox_.close(*std::exchange(link_, std::nullopt));
                 },
                 [&](CodeReady& o) {
                   code = o.code.canonical().reveal_text();
                   on_code(*code);
                 },
                 [&](PeerSeen& o) { peer_side = o.peer_side; },
                 [&](PeerVerified& o) {
                   ++verified;
                   smp_key = to_hex(o.wormhole_key.reveal());
                 },
                 [&](PayloadReceived& o) { payloads.emplace_back(as_text(o.payload)); },
                 [&](Closed&) { closed = true; },
                 [&](Failed& o) { error = std::move(o.error); },
                 [](Joined&) {},
                 [](Warned&) {},
             },
             output);
}

}  // namespace peersock::testing
