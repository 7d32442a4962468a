#include "adapters/port_search_sockets.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <sys/resource.h>

#include "adapters/clock.hpp"
#include "adapters/epoll_set.hpp"
#include "adapters/interfaces.hpp"
#include "adapters/train_collector.hpp"
#include "adapters/udp_datagrams.hpp"
#include "adapters/wakeup.hpp"
#include "ice/policy.hpp"
#include "ice/port_search.hpp"
#include "wire/ice_message.hpp"
#include "wire/stun_check.hpp"

namespace peersock::adapters {
namespace {

constexpr std::size_t kMaxServers = 3;
/// Descriptors that are left to the rest of the process.
constexpr rlim_t kSpareDescriptors = 256;
/// Reads of one socket in one turn of the loop.
constexpr int kMostReads = 4;

bool is_too_high(int fd) {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<rlim_t>(fd) + kSpareDescriptors > limit.rlim_cur;
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  for (auto& found : list_interfaces()) addresses.push_back(std::move(found.address));
  return addresses;
}

/// Of the interface that leads to `remote`; empty when none does.
std::string base_address(const SocketAddress& remote) {
  const UniqueFd fd(::socket(remote.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Connecting a UDP socket sends nothing.
  if (!fd || connect(fd.get(), remote.get(), remote.size) != 0) return {};
  const auto bound = numeric_endpoint(bound_address(fd.get()));
  return bound ? bound->address : std::string();
}

}  // namespace

class PortSearchSockets::Impl {
 public:
  Impl(GMainContext* context, Rng& rng, PortSearchSocketsConfig config,
       PortSearchCallbacks callbacks)
      : rng_(rng),
        config_(std::move(config)),
        callbacks_(std::move(callbacks)),
        deadline_(context, [this] { wake(); }),
        set_(context, {[this](EpollSet::Token token, bool readable, bool writable) {
                         on_ready(token, readable, writable);
                       },
                       [this] { on_turn_ended(); }}) {
    rng_.fill(transaction_prefix_);
    if (config_.servers.size() > kMaxServers) config_.servers.resize(kMaxServers);
  }

  void set_trace(TraceHook hook) { trace_ = std::move(hook); }

  void post(ice::PortSearchInput input) {
    waiting_.push_back(std::move(input));
    deadline_.soon();
  }

  void session_opened() {
    lookups_.resize(config_.servers.size());
    found_.resize(config_.servers.size());
    left_to_find_ = config_.servers.size();
    for (std::size_t i = 0; i < config_.servers.size(); ++i) {
      lookups_[i] = config_.resolver(config_.servers[i].host, kServerLookupTimeout,
                                     [this, i](const ResolveResult& result) {
                                       if (result) found_[i] = *result;
                                       if (--left_to_find_ == 0) begin();
                                     });
    }
  }

  void peer_offered(wire::PortOffer offer) {
    if (!peer_) peer_ = offer;
    post(ice::PeerOffered{std::move(offer)});
  }

  [[nodiscard]] bool has_path() const { return sender_.has_value(); }

  quic::SendOutcome send_batch(const quic::DatagramTrain& train) {
    if (!sender_) return quic::SendOutcome::kError;
    const auto outcome = sender_->send(train);
    if (outcome == quic::SendOutcome::kWouldBlock) {
      set_.want_write(sockets_[path_socket_].get(), path_socket_, true);
    }
    return outcome;
  }

  // As Runner's host.
  void perform(ice::PortSearchOutput output, Instant /*now*/) {
    std::visit([this](auto& held) { carry_out(held); }, output);
  }

 private:
  /// The names are numbers now.
  void begin() {
    ice::PortSearchConfig search;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const auto ipv4 = std::find_if(found_[i].begin(), found_[i].end(),
                                     [](const auto& each) { return !ice::is_ipv6(each); });
      if (ipv4 == found_[i].end()) continue;
      const wire::StunAddress server{*ipv4, config_.servers[i].port};
      if (std::find(search.servers.begin(), search.servers.end(), server) == search.servers.end()) {
        search.servers.push_back(server);
      }
    }
    search.local_addresses = own_addresses();
    runner_.emplace(ice::PortSearch(std::move(search), rng_), *this);
    runner_->set_trace(trace_);
    waiting_.insert(waiting_.begin(), ice::SessionOpened{});
    deadline_.soon();
  }

  // ---- commands ---------------------------------------------------------------------------------

  void carry_out(const ice::OpenSockets& wanted) {
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < wanted.count; ++i) {
      UniqueFd fd = open_datagram_socket();
      if (!fd || is_too_high(fd.get()) || !set_.add(fd.get(), sockets_.size())) break;
      ports.push_back(port_of(bound_address(fd.get())));
      sockets_.push_back(std::move(fd));
    }
    runner_->post(ice::SocketsOpened{std::move(ports)});
  }

  void carry_out(const ice::AskServer& question) {
    wire::StunRequest request;
    request.transaction = transaction(static_cast<std::uint32_t>(question.socket));
    send(question.socket, question.server, wire::encode(request));
  }

  void carry_out(const ice::SendOffer& offer) {
    own_key_ = offer.offer.key;
    callbacks_.offer(offer.offer);
  }

  void carry_out(const ice::SendCheck& check) {
    const wire::StunCheck message{transaction(check.id), false, check.nominates, {}};
    send(check.socket, check.destination, wire::encode(message, peer_->key));
  }

  void carry_out(const ice::SendAnswer& answer) {
    const wire::StunCheck message{answer.transaction, true, false, answer.destination};
    send(answer.socket, answer.destination, wire::encode(message, *own_key_));
  }

  void carry_out(const ice::UsePath& use) {
    const auto remote = numeric_address(use.remote.address, use.remote.port);
    if (!remote) return;
    path_socket_ = use.socket;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      if (i != use.socket) sockets_[i].reset();
    }
    const int fd = sockets_[use.socket].get();
    sender_.emplace(fd, *remote);
    PathInfo path;
    path.local_type = wire::to_string(wire::CandidateType::kHost);
    path.remote_type = wire::to_string(use.found_by_probe ? wire::CandidateType::kPeerReflexive
                                                          : wire::CandidateType::kServerReflexive);
    path.local_address = ice::endpoint_text(base_address(*remote), port_of(bound_address(fd)));
    path.remote_address = ice::endpoint_text(use.remote.address, use.remote.port);
    path.transport = "udp";
    path.split = true;
    callbacks_.found(std::move(path));
  }

  void carry_out(const ice::LeavePath& /*leave*/) {
    close_all();
    callbacks_.lost();
  }

  void carry_out(const ice::GiveUp& /*give_up*/) { close_all(); }

  void close_all() {
    sender_.reset();
    for (UniqueFd& fd : sockets_) fd.reset();
  }

  /// Tells our requests from others' and from each other.
  [[nodiscard]] wire::StunTransaction transaction(std::uint32_t number) const {
    wire::StunTransaction made = transaction_prefix_;
    for (std::size_t i = 0; i < 4; ++i) {
      made.at(made.size() - 1 - i) = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return made;
  }

  void send(ice::SocketIndex socket, const wire::StunAddress& to, const Bytes& octets) {
    const auto address = numeric_address(to.address, to.port);
    if (!address || socket >= sockets_.size() || !sockets_[socket]) return;
    // A failure is a loss.
    static_cast<void>(::sendto(sockets_[socket].get(), octets.data(), octets.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT, address->get(), address->size));
  }

  // ---- what comes in ----------------------------------------------------------------------------

  void on_ready(EpollSet::Token token, bool readable, bool writable) {
    const auto index = static_cast<ice::SocketIndex>(token);
    if (writable && sockets_[index]) {
      set_.want_write(sockets_[index].get(), token, false);
      callbacks_.writable();
    }
    for (int i = 0; readable && i < kMostReads && sockets_[index]; ++i) {
      const std::size_t count = reader_.read(
          sockets_[index].get(),
          [&](ByteView datagram, const SocketAddress& from) { take(index, datagram, from); });
      if (count == 0) break;
    }
  }

  void take(ice::SocketIndex socket, ByteView datagram, const SocketAddress& from) {
    if (!wire::looks_like_stun(datagram)) {
      // From anybody: QUIC knows its own.
      if (own_key_ && !trains_.add(datagram)) {
        deliver();
        static_cast<void>(trains_.add(datagram));
      }
      return;
    }
    const auto sender = numeric_endpoint(from);
    if (sender) take_stun(socket, datagram, *sender);
  }

  void take_stun(ice::SocketIndex socket, ByteView datagram, const wire::StunAddress& from) {
    if (own_key_) {
      const auto check = wire::parse_check(datagram, *own_key_);
      if (check && !check->answer) {
        return runner_->post(
            ice::CheckReceived{socket, from, check->transaction, check->nominates});
      }
    }
    if (peer_) {
      const auto answer = wire::parse_check(datagram, peer_->key);
      if (answer && answer->answer && is_ours(answer->transaction)) {
        return runner_->post(ice::AnswerReceived{socket, from});
      }
    }
    const auto message = wire::parse_stun(datagram);
    if (!message || message->kind != wire::StunKind::kSuccess || !message->mapped) return;
    if (message->transaction != transaction(static_cast<std::uint32_t>(socket))) return;
    runner_->post(ice::ServerAnswered{socket, from, *message->mapped, message->other});
  }

  [[nodiscard]] bool is_ours(const wire::StunTransaction& given) const {
    return std::equal(given.begin(), given.end() - 4, transaction_prefix_.begin());
  }

  void on_turn_ended() {
    deliver();
    run();
  }

  void deliver() {
    if (trains_.empty()) return;
    callbacks_.trains(trains_.trains());
    trains_.clear();
  }

  void wake() {
    if (!runner_) return;
    for (auto& input : std::exchange(waiting_, {})) runner_->post(std::move(input));
    runner_->wake(monotonic_now());
    run();
  }

  void run() {
    if (!runner_) return;
    while (runner_->step(monotonic_now())) {
    }
    if (const auto due = runner_->deadline()) {
      deadline_.after(std::max(*due - monotonic_now(), Duration::zero()));
    } else {
      deadline_.cancel();
    }
    if (!waiting_.empty()) deadline_.soon();
  }

  Rng& rng_;
  PortSearchSocketsConfig config_;
  PortSearchCallbacks callbacks_;
  TraceHook trace_;
  std::vector<Lookup> lookups_;
  std::vector<std::vector<std::string>> found_;  // by server
  std::size_t left_to_find_ = 0;
  std::vector<ice::PortSearchInput> waiting_;
  std::optional<Runner<ice::PortSearch, Impl>> runner_;  // once the names are numbers
  std::vector<UniqueFd> sockets_;
  std::optional<wire::CheckKey> own_key_;
  std::optional<wire::PortOffer> peer_;
  wire::StunTransaction transaction_prefix_{};
  ice::SocketIndex path_socket_ = 0;
  std::optional<DatagramSender> sender_;
  DatagramReader reader_;
  TrainCollector trains_;
  Wakeup deadline_;
  EpollSet set_;
};

PortSearchSockets::PortSearchSockets(GMainContext* context, Rng& rng,
                                     PortSearchSocketsConfig config, PortSearchCallbacks callbacks)
    : impl_(std::make_unique<Impl>(context, rng, std::move(config), std::move(callbacks))) {}

PortSearchSockets::~PortSearchSockets() = default;

void PortSearchSockets::set_trace(TraceHook hook) {
  impl_->set_trace(std::move(hook));
}

void PortSearchSockets::session_opened() {
  impl_->session_opened();
}

void PortSearchSockets::path_changed(bool relayed) {
  impl_->post(ice::PathChanged{relayed});
}

void PortSearchSockets::peer_offered(wire::PortOffer offer) {
  impl_->peer_offered(std::move(offer));
}

bool PortSearchSockets::has_path() const {
  return impl_->has_path();
}

quic::SendOutcome PortSearchSockets::send_batch(const quic::DatagramTrain& train) {
  return impl_->send_batch(train);
}

}  // namespace peersock::adapters
