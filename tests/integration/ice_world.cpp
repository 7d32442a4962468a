#include "ice_world.hpp"

#include <filesystem>
#include <utility>

#include "adapters/interfaces.hpp"

namespace peersock::testing {

using adapters::IceAgent;
using adapters::IceAgentCallbacks;

std::vector<std::string> loopback_addresses() {
  std::vector<std::string> found;
  for (const auto& each : adapters::list_interfaces()) {
    if (each.loopback && each.up) found.push_back(each.address);
  }
  return found;
}

std::vector<ice::LocalInterface> only(const std::string& address) {
  return {{"lo", address, true, true, false}};
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// ---- the loop -----------------------------------------------------------------------------------

Loop::Loop() : context_(g_main_context_new()) {}

bool Loop::until(const std::function<bool()>& done) {
  bool late = false;
  adapters::Wakeup limit(context_.get(), [&] { late = true; });
  limit.after(30s);
  while (!done() && !late) g_main_context_iteration(context_.get(), TRUE);
  return done();
}

void Loop::turns(int count) {
  for (int i = 0; i < count; ++i) g_main_context_iteration(context_.get(), FALSE);
}

// ---- one side -----------------------------------------------------------------------------------

Side::Side(Loop& loop, SideOptions options)
    : loop_(loop),
      machine_(ice::Negotiation(options.negotiation), *this),
      turn_(loop.context(), [this] { run_machine(); }) {
  IceAgentCallbacks callbacks;
  callbacks.local_credentials = [this](std::string ufrag, std::string password) {
    machine_.post(ice::LocalCredentialsMade{std::move(ufrag), std::move(password)});
    turn_.soon();
  };
  callbacks.local_candidate = [this](wire::Candidate candidate) {
    local_candidates.push_back(candidate);
    machine_.post(ice::LocalCandidateFound{std::move(candidate)});
    turn_.soon();
  };
  callbacks.gathering_done = [this] {
    story.emplace_back("gathered");
    machine_.post(ice::LocalGatheringDone{});
    turn_.soon();
  };
  callbacks.pair_selected = [this](PathInfo path) {
    machine_.post(ice::PairSelected{std::move(path)});
    turn_.soon();
    if (on_pair) on_pair();
  };
  callbacks.failed = [this] {
    story.emplace_back("failed");
    machine_.post(ice::AgentFailed{});
    turn_.soon();
  };
  callbacks.checks_finished = [this](ice::ChecksFinished seen) {
    machine_.post(std::move(seen));
    turn_.soon();
  };
  callbacks.writable = [this] { writable = true; };
  callbacks.warning = [this](std::string sentence) { warnings.push_back(std::move(sentence)); };
  agent = std::make_unique<IceAgent>(std::move(options.agent), loop.context(), callbacks);
}

void Side::take_trains() {
  agent->set_trains_handler([this](std::span<const quic::DatagramTrain> trains) {
    ++deliveries;
    for (const auto& train : trains) {
      received.insert(received.end(), train.bytes.begin(), train.bytes.end());
      std::size_t count = 0;
      quic::for_each_datagram(train, [&](ByteView) { ++count; });
      train_sizes.push_back(count);
    }
  });
}

void Side::start() {
  agent->start_gathering();
}

void Side::open_channel() {
  machine_.post(ice::ChannelOpened{});
  turn_.soon();
}

void Side::run_machine() {
  const Instant now = adapters::monotonic_now() + skipped_;
  machine_.wake(now);
  while (machine_.step(now)) {
  }
  if (const auto due = machine_.deadline()) turn_.after(*due - now);
}

void Side::perform(ice::NegotiationOutput output, Instant /*now*/) {
  if (!agent) return;
  std::visit(Overloaded{
                 [&](ice::SendPeerMessage& o) {
                   send_to_peer(wire::parse_ice_message(o.json).value().message);
                 },
                 [&](ice::SetRemoteCredentials& o) {
                   credentials_at = adapters::monotonic_now();
                   agent->set_remote_credentials(o.ufrag, o.password);
                 },
                 [&](ice::AddRemoteCandidates& o) { agent->add_remote_candidates(o.candidates); },
                 [&](ice::EndRemoteCandidates&) { agent->end_remote_candidates(); },
                 [&](ice::PathReady& o) {
                   if (!connected_at) connected_at = adapters::monotonic_now();
                   story.emplace_back("connected");
                   paths.push_back(o.path);
                 },
                 [&](ice::PathBroken&) { story.emplace_back("broken"); },
                 [&](ice::Warned& o) { warnings.push_back(std::move(o.message)); },
                 [&](ice::Failed& o) { failure = std::move(o.error); },
             },
             output);
}

void Side::send_to_peer(const wire::IceMessage& message) {
  wire::IceMessage changed = message;
  if (filter && !filter(changed)) return;
  other_->machine_.post(ice::PeerMessageReceived{wire::encode(changed)});
  other_->turn_.soon();
}

// ---- both sides ---------------------------------------------------------------------------------

Pair::Pair(SideOptions a_options, SideOptions b_options)
    : a(loop, std::move(a_options)), b(loop, std::move(b_options)) {
  a.introduce(b);
  b.introduce(a);
}

SideOptions Pair::on(const std::string& address, bool controlling) {
  SideOptions options;
  options.agent.controlling = controlling;
  options.agent.interfaces = only(address);
  return options;
}

void Pair::start() {
  a.start();
  b.start();
}

void Pair::open_channels() {
  a.open_channel();
  b.open_channel();
}

bool Pair::connect() {
  start();
  open_channels();
  return until([this] { return a.connected() && b.connected(); });
}

}  // namespace peersock::testing
