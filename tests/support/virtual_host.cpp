#include "support/virtual_host.hpp"

#include <algorithm>
#include <utility>

#include "core/machine.hpp"

namespace peersock::testing {
namespace {

std::string event_name(const Event& event) {
  return std::visit(Overloaded{
                        [](const event::CodeMade&) { return "code_made"; },
                        [](const event::RendezvousJoined&) { return "rendezvous_joined"; },
                        [](const event::Motd&) { return "motd"; },
                        [](const event::PeerArrived&) { return "peer_arrived"; },
                        [](const event::PathChosen&) { return "path_chosen"; },
                        [](const event::PathRestarted&) { return "path_restarted"; },
                        [](const event::Authenticated&) { return "authenticated"; },
                        [](const event::Listening&) { return "listening"; },
                        [](const event::ConnectionOpened&) { return "connection_opened"; },
                        [](const event::ConnectionClosed&) { return "connection_closed"; },
                        [](const event::PeerLeft&) { return "peer_left"; },
                        [](const event::Warning&) { return "warning"; },
                        [](const event::Failed&) { return "error"; },
                        [](const event::Ended&) { return "ended"; },
                        [](const event::MailboxListening&) { return "mailbox_listening"; },
                    },
                    event);
}

wire::Candidate host_candidate(const std::string& address) {
  wire::Candidate candidate;
  candidate.foundation = "1";
  candidate.priority = 2130706431;
  candidate.address = address;
  candidate.port = 40000;
  return candidate;
}

}  // namespace

// ---- channels ---------------------------------------------------------------------------------

class VirtualHost::Channel final : public tunnel::LocalChannel {
 public:
  Channel(VirtualHost& host, std::shared_ptr<LocalProgram> program)
      : host_(host), program_(std::move(program)) {}
  ~Channel() override {
    program_->closed = true;
    std::erase_if(host_.open_, [&](const Open& open) { return open.channel == this; });
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  Channel(Channel&&) = delete;
  Channel& operator=(Channel&&) = delete;

  tunnel::LocalRead read(MutableBytes into) override {
    LocalProgram& p = *program_;
    if (p.reset_now) return {0, false, "the program reset the connection"};
    const std::size_t count = std::min(into.size(), p.to_send.size() - p.sent);
    if (count == 0) return {0, p.finish_after_sending, std::nullopt};
    std::copy_n(p.to_send.begin() + static_cast<std::ptrdiff_t>(p.sent), count, into.begin());
    p.sent += count;
    return {count, false, std::nullopt};
  }
  tunnel::LocalWrite write(ByteView from) override {
    LocalProgram& p = *program_;
    if (p.write_error) return {0, p.write_error};
    if (!p.reads) return {0, std::nullopt};
    p.received.insert(p.received.end(), from.begin(), from.end());
    return {from.size(), std::nullopt};
  }
  void finish() override { program_->saw_end = true; }
  void abort() override { program_->saw_reset = true; }
  void watch(bool readable, bool writable) override {
    readable_ = readable;
    writable_ = writable;
    host_.schedule();
  }

  [[nodiscard]] bool wants_read() const {
    const LocalProgram& p = *program_;
    return readable_ && (p.reset_now || p.sent < p.to_send.size() || p.finish_after_sending);
  }
  [[nodiscard]] bool wants_write() const {
    return writable_ && (program_->reads || program_->write_error);
  }

 private:
  VirtualHost& host_;
  std::shared_ptr<LocalProgram> program_;
  bool readable_ = false;
  bool writable_ = false;
};

void VirtualHost::serve_programs() {
  std::vector<std::pair<tunnel::ConnectionId, std::pair<bool, bool>>> ready;
  for (const Open& open : open_) {
    const bool readable = open.channel->wants_read();
    const bool writable = open.channel->wants_write();
    if (open.id != 0 && (readable || writable)) ready.push_back({open.id, {readable, writable}});
  }
  for (const auto& [id, wants] : ready) peer_->local_ready(id, wants.first, wants.second);
  // A level-triggered loop comes back as long as anything is ready.
  if (!ready.empty()) world_.after(100us, [this] { schedule(); });
}

void VirtualHost::accept_waiting() {
  while (accepting_ && !waiting_.empty()) {
    auto channel = std::make_unique<Channel>(*this, waiting_.front());
    waiting_.pop_front();
    Channel* raw = channel.get();
    open_.push_back({0, raw});
    const tunnel::ConnectionId id = peer_->local_accepted(std::move(channel));
    for (Open& open : open_) {
      if (open.channel == raw) open.id = id;
    }
  }
}

// ---- the loop ---------------------------------------------------------------------------------

VirtualHost::VirtualHost(VirtualWorld& world, VirtualMailbox& mailbox, VirtualPath& path,
                         VirtualHostConfig config)
    : world_(world),
      mailbox_(mailbox),
      path_(path),
      config_(std::move(config)),
      controlling_(wire::is_opener(config_.peer.mode)),
      engine_(config_.make_engine()),
      rng_(random_u64(world.rng())) {
  auto settings = std::move(config_.peer);
  peer_ = std::make_unique<session::Peer>(std::move(settings), *this, rng_);
  peer_->set_trace([this](const TraceStep& step) { trace_.push_back(format_trace(step)); });
}

VirtualHost::~VirtualHost() {
  // Channels tell their host that they go; let them, while it is whole.
  peer_.reset();
}

void VirtualHost::start() {
  peer_->start();
  schedule();
}

void VirtualHost::interrupt() {
  peer_->interrupt();
  schedule();
}

void VirtualHost::kill() {
  dead_ = true;
  if (link_) mailbox_.close(*link_);
}

void VirtualHost::connect_locally(std::shared_ptr<LocalProgram> program) {
  waiting_.push_back(std::move(program));
  schedule();
}

void VirtualHost::wake() {
  schedule();
}

void VirtualHost::schedule() {
  if (scheduled_ || dead_) return;
  scheduled_ = true;
  world_.after(0ns, [this] { run(); });
}

void VirtualHost::run() {
  scheduled_ = false;
  if (dead_ || peer_->ended()) return;
  accept_waiting();
  serve_programs();
  peer_->process(world_.now());
  arm();
}

void VirtualHost::arm() {
  const auto due = peer_->deadline();
  if (!due || (armed_ && *armed_ <= *due && *armed_ > world_.now())) return;
  armed_ = *due;
  world_.after(std::max<Duration>(*due - world_.now(), 1us), [this] { schedule(); });
}

// ---- rendezvous -------------------------------------------------------------------------------

void VirtualHost::open_link(const std::string& /*url*/) {
  link_ = mailbox_.connect({
      [this] {
        if (dead_) return;
        peer_->link_up();
        schedule();
      },
      [this](std::string frame) {
        if (dead_) return;
        peer_->frame_received(std::move(frame));
        schedule();
      },
      [this](std::string reason) {
        link_.reset();
        if (dead_) return;
        peer_->link_lost(std::move(reason));
        schedule();
      },
  });
}

void VirtualHost::send_frame(std::string frame) {
  if (link_) mailbox_.send(*link_, std::move(frame));
}

void VirtualHost::close_link() {
  if (link_) mailbox_.close(*std::exchange(link_, std::nullopt));
}

// ---- ICE --------------------------------------------------------------------------------------

void VirtualHost::start_agent(ice::Generation generation) {
  agents_[generation] = {};
  world_.after(1ms, [this, generation] {
    if (dead_) return;
    peer_->local_credentials(
        generation, "ufrag" + config_.name + std::to_string(generation),
        "passwordOf22OctetsAtLeast" + config_.name + std::to_string(generation));
    peer_->local_candidate(generation,
                           host_candidate("192.0.2." + std::to_string(config_.name.size())));
    schedule();
  });
  world_.after(60ms, [this, generation] {
    if (dead_) return;
    peer_->gathering_done(generation);
    schedule();
  });
}

void VirtualHost::set_remote_credentials(ice::Generation generation, const std::string& ufrag,
                                         const std::string& /*password*/) {
  const auto found = agents_.find(generation);
  // Credentials of another generation would fail every check.
  if (found == agents_.end() || !ufrag.ends_with(std::to_string(generation))) return;
  found->second.has_credentials = true;
}

void VirtualHost::add_remote_candidates(ice::Generation generation,
                                        const std::vector<wire::Candidate>& candidates) {
  const auto found = agents_.find(generation);
  if (found == agents_.end() || !found->second.has_credentials || candidates.empty()) return;
  found->second.ready = true;
  path_.negotiate(generation);
}

bool VirtualHost::agent_ready(ice::Generation generation) const {
  const auto found = agents_.find(generation);
  return !dead_ && found != agents_.end() && found->second.ready;
}

void VirtualHost::agent_connected(ice::Generation generation, PathInfo path) {
  if (!agent_ready(generation)) return;
  agents_[generation].connected = true;
  peer_->pair_selected(generation, std::move(path));
  schedule();
}

void VirtualHost::agent_broke() {
  if (dead_) return;
  peer_->agent_failed(sending_);
  schedule();
}

void VirtualHost::change_network() {
  if (dead_) return;
  peer_->network_changed();
  schedule();
}

quic::SendOutcome VirtualHost::send_batch(const quic::DatagramTrain& train) {
  const auto found = agents_.find(sending_);
  if (found == agents_.end() || !found->second.connected) return quic::SendOutcome::kError;
  return path_.send(*this, sending_, train);
}

void VirtualHost::deliver(const quic::DatagramTrain& train) {
  if (dead_) return;
  peer_->datagrams_received(train, world_.now());
  schedule();
}

void VirtualPath::join(VirtualHost& a, VirtualHost& b) {
  a_ = &a;
  b_ = &b;
}

void VirtualPath::negotiate(ice::Generation generation) {
  if (generation < forbidden_below_ || cut_ || found_.contains(generation) || a_ == nullptr) return;
  if (!a_->agent_ready(generation) || !b_->agent_ready(generation)) return;
  found_.insert(generation);
  latest_ = std::max(latest_, generation);
  const std::string port = ":" + std::to_string(40000 + generation);
  PathInfo path{false, "host", "host", "192.0.2.1" + port, "192.0.2.2" + port, "udp"};
  path.split = split_;
  // The controlling agent has the answer to its check after one round trip; the controlled one
  // checks when that check has reached it.
  VirtualHost* controlling = a_->controlling() ? a_ : b_;
  VirtualHost* controlled = controlling == a_ ? b_ : a_;
  world_.after(link_.delay * 2, [=] { controlling->agent_connected(generation, path); });
  world_.after(link_.delay * 3, [=] { controlled->agent_connected(generation, path); });
}

quic::SendOutcome VirtualPath::send(const VirtualHost& from, ice::Generation generation,
                                    const quic::DatagramTrain& train) {
  if (train.segment > narrow_) return quic::SendOutcome::kTooBig;
  VirtualHost* to = &from == a_ ? b_ : a_;
  quic::for_each_datagram(train, [&](ByteView datagram) {
    if (intercept_ && !intercept_(from, datagram)) return;
    if (cut_ || generation < working_from_ || world_.chance(link_.loss)) return;
    const int copies = world_.chance(link_.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      inject(*to, Bytes(datagram.begin(), datagram.end()));
    }
  });
  return quic::SendOutcome::kSent;
}

void VirtualPath::inject(VirtualHost& to, Bytes datagram) {
  world_.after(world_.delay_of(link_), [&to, datagram = std::move(datagram)] {
    to.deliver({datagram, datagram.size(), quic::Ecn::kNotEct});
  });
}

// ---- local endpoints and events ---------------------------------------------------------------

void VirtualHost::start_accepting() {
  accepting_ = true;
  schedule();
}

void VirtualHost::connect_target(tunnel::ConnectionId connection) {
  world_.after(1ms, [this, connection] {
    if (dead_) return;
    auto program = config_.target ? config_.target() : nullptr;
    if (program) {
      auto channel = std::make_unique<Channel>(*this, std::move(program));
      open_.push_back({connection, channel.get()});
      peer_->target_connected(connection, std::move(channel));
    } else {
      peer_->target_failed(connection, {CloseReason::kRefused, "The target refused"});
    }
    schedule();
  });
}

void VirtualHost::cancel_target(tunnel::ConnectionId /*connection*/) {}

bool VirtualHost::saw(std::string_view event) const {
  return std::ranges::find(events_, event) != events_.end();
}

void VirtualHost::emit(Event event) {
  events_.push_back(event_name(event));
  if (const auto* made = std::get_if<event::CodeMade>(&event)) code_ = made->code.reveal_text();
  if (const auto* failed = std::get_if<event::Failed>(&event)) error_ = failed->error;
  if (std::holds_alternative<event::Authenticated>(event)) authenticated_at_ = world_.now();
}

void VirtualHost::ended(ExitCode exit_code) {
  exit_code_ = exit_code;
}

}  // namespace peersock::testing
