#include "adapters/tcp_paths.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "wire/stun_check.hpp"

namespace peersock::adapters {
namespace {

constexpr int kBacklog = 16;
/// Connections that are taken in one turn of the loop.
constexpr int kAcceptBatch = 16;
/// Until there may be descriptors again.
constexpr Duration kAcceptPause = 1s;

}  // namespace

enum class TcpPaths::Stage : std::uint8_t {
  kConnecting,
  kChecking,  ///< ours; the peer has not answered yet
  kStranger,  ///< accepted; nothing is known of who it is
  kProven,    ///< the peer's, and his datagrams count
  kChosen,    ///< of the peer who made it, or of us
  kClosed,    ///< to be forgotten in a later turn of the loop
};

bool TcpPaths::is_provisional(Stage stage) {
  return stage == Stage::kConnecting || stage == Stage::kChecking || stage == Stage::kStranger;
}

/// A port that is reserved, and listens during the search.
struct TcpPaths::Listener {
  UniqueFd fd;
  std::optional<FdWatch> watch;  ///< since it listens
  std::optional<Instant> pause;  ///< until then: the system had no descriptor
};

/// A candidate of the peer's.
struct TcpPaths::Target {
  wire::Candidate candidate;
  SocketAddress address;
  Instant next_try;
  Link* link = nullptr;  ///< the attempt that is going on
};

struct TcpPaths::Link {
  std::unique_ptr<TcpConnection> stream;  ///< null when closed
  Stage stage = Stage::kStranger;
  bool outgoing = false;
  Instant give_up;  ///< as long as it is provisional
  Target* target = nullptr;
  wire::StunTransaction transaction{};
  PathInfo path;
};

TcpPaths::TcpPaths(GMainContext* context, TcpPathsConfig config, TcpPathsCallbacks callbacks)
    : context_(context),
      config_(config),
      callbacks_(std::move(callbacks)),
      step_(context, [this] { step(); }) {}

TcpPaths::~TcpPaths() = default;

// ---- what is told -------------------------------------------------------------------------------

void TcpPaths::offer(const std::vector<ice::LocalInterface>& chosen) {
  for (const auto& each : ice::choose_tcp_interfaces(chosen, config_.anywhere)) {
    const auto address = numeric_address(each.address, 0);
    if (!address) continue;
    UniqueFd fd = open_socket(address->family());
    if (!fd || ::bind(fd.get(), address->get(), address->size) != 0) continue;
    wire::Candidate candidate;
    candidate.foundation = "tcp" + std::to_string(listeners_.size() + 1);
    candidate.transport = wire::CandidateTransport::kTcpPassive;
    candidate.priority = ice::tcp_priority(listeners_.size());
    candidate.address = each.address;
    candidate.port = port_of(bound_address(fd.get()));
    listeners_.push_back(std::make_unique<Listener>());
    listeners_.back()->fd = std::move(fd);
    callbacks_.candidate(std::move(candidate));
  }
}

void TcpPaths::set_local_credentials(const std::string& ufrag, const std::string& password) {
  own_key_ = wire::tcp_check_key(ufrag, password);
}

void TcpPaths::set_remote_credentials(const std::string& ufrag, const std::string& password) {
  peer_key_ = wire::tcp_check_key(ufrag, password);
  if (!begins_) begins_ = monotonic_now() + kTcpHeadStart;
  step_.soon();
}

void TcpPaths::add_remote_candidates(const std::vector<wire::Candidate>& candidates) {
  for (const wire::Candidate& candidate : candidates) {
    if (targets_.size() == ice::kMaxTcpAddresses) return;
    if (!ice::may_connect_to(candidate, config_.anywhere)) continue;
    const auto address = numeric_address(candidate.address, candidate.port);
    if (!address) continue;
    targets_.push_back(std::make_unique<Target>());
    targets_.back()->candidate = candidate;
    targets_.back()->address = *address;
    step_.soon();
  }
}

void TcpPaths::set_direct(bool direct) {
  if (std::exchange(direct_, direct) != direct) step_.soon();
}

// ---- the search ---------------------------------------------------------------------------------

bool TcpPaths::searching() const {
  return begins_ && !over_ && !direct_ && !(listeners_.empty() && targets_.empty());
}

void TcpPaths::step() {
  const Instant now = monotonic_now();
  if (begins_ && !over_) {
    if (now >= *begins_ + kTcpSearch) {
      end_search();
    } else if (direct_) {
      pause();
    } else if (now >= *begins_) {
      search(now);
    }
  }
  for (const auto& link : links_) {
    if (is_provisional(link->stage) && link->give_up <= now) close(*link);
  }
  links_.remove_if([](const auto& link) { return link->stage == Stage::kClosed; });
  arm(now);
}

void TcpPaths::search(Instant now) {
  for (const auto& listener : listeners_) {
    if (listener->pause && *listener->pause > now) continue;
    listener->pause.reset();
    listen(*listener);
  }
  for (const auto& target : targets_) {
    const bool wanted = best() == nullptr && target->link == nullptr && target->next_try <= now;
    if (wanted) connect(*target, now);
  }
}

/// There is a better way: what is not there yet need not come.
void TcpPaths::pause() {
  for (const auto& listener : listeners_) {
    if (listener->watch) listener->watch->watch(false, false);
  }
  for (const auto& link : links_) {
    if (link->outgoing && is_provisional(link->stage)) close(*link);
  }
}

void TcpPaths::end_search() {
  over_ = true;
  listeners_.clear();
  for (const auto& link : links_) {
    if (is_provisional(link->stage)) close(*link);
  }
  callbacks_.changed();
}

void TcpPaths::arm(Instant now) {
  std::optional<Instant> due;
  const auto consider = [&](Instant when) { due = due ? std::min(*due, when) : when; };
  if (begins_ && !over_) {
    consider(*begins_ + kTcpSearch);
    if (!direct_ && now < *begins_) consider(*begins_);
  }
  for (const auto& link : links_) {
    if (is_provisional(link->stage)) consider(link->give_up);
  }
  if (begins_ && now >= *begins_ && searching()) {
    for (const auto& listener : listeners_) {
      if (listener->pause) consider(*listener->pause);
    }
    for (const auto& target : targets_) {
      if (target->link == nullptr && best() == nullptr) consider(target->next_try);
    }
  }
  if (due) {
    step_.after(std::max(*due - now, Duration::zero()));
  } else {
    step_.cancel();
  }
}

// ---- connections --------------------------------------------------------------------------------

void TcpPaths::listen(Listener& listener) {
  if (!listener.watch) {
    if (::listen(listener.fd.get(), kBacklog) != 0) return;
    listener.watch.emplace(context_, listener.fd.get(),
                           [this, &listener](bool, bool) { accept(listener); });
  }
  listener.watch->watch(/*readable=*/true, /*writable=*/false);
}

void TcpPaths::accept(Listener& listener) {
  for (int i = 0; i < kAcceptBatch; ++i) {
    SocketAddress remote;
    remote.size = sizeof remote.storage;
    UniqueFd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&remote.storage),
                          &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      accepted(std::move(fd), remote);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      // Without a descriptor it would be ready for ever.
      listener.watch->watch(false, false);
      listener.pause = monotonic_now() + kAcceptPause;
      step_.soon();
    }
    return;
  }
}

TcpPaths::Link& TcpPaths::add_link(Stage stage, Instant now) {
  links_.push_back(std::make_unique<Link>());
  Link& link = *links_.back();
  link.stage = stage;
  link.outgoing = stage == Stage::kConnecting;
  link.give_up = now + kTcpProofLimit;
  link.path.local_type = wire::to_string(wire::CandidateType::kHost);
  link.path.transport = "tcp";
  return link;
}

std::size_t TcpPaths::count(Stage stage) const {
  return static_cast<std::size_t>(std::count_if(
      links_.begin(), links_.end(), [stage](const auto& link) { return link->stage == stage; }));
}

void TcpPaths::accepted(UniqueFd fd, const SocketAddress& remote) {
  if (count(Stage::kStranger) >= kMaxTcpStrangers) {
    const auto oldest = std::find_if(links_.begin(), links_.end(), [](const auto& link) {
      return link->stage == Stage::kStranger;
    });
    close(**oldest);
  }
  Link& link = add_link(Stage::kStranger, monotonic_now());
  link.path.remote_type = wire::to_string(wire::CandidateType::kPeerReflexive);
  link.path.remote_address = to_string(remote);
  link.path.local_address = to_string(bound_address(fd.get()));
  link.stream = std::make_unique<TcpConnection>(
      context_, std::move(fd),
      [this, &link](bool readable, bool writable) { on_ready(link, readable, writable); });
  step_.soon();
}

void TcpPaths::connect(Target& target, Instant now) {
  Link& link = add_link(Stage::kConnecting, now);
  link.target = &target;
  target.link = &link;
  link.path.remote_type = wire::to_string(target.candidate.type);
  link.path.remote_address = to_string(target.address);
  link.stream = TcpConnection::connect(
      context_, target.address,
      [this, &link](bool readable, bool writable) { on_ready(link, readable, writable); });
  if (!link.stream) close(link);
}

/// The link itself goes in a later turn of the loop.
void TcpPaths::close(Link& link) {
  const Stage before = std::exchange(link.stage, Stage::kClosed);
  link.stream.reset();
  if (Target* target = std::exchange(link.target, nullptr)) {
    target->link = nullptr;
    target->next_try = monotonic_now() + kTcpRetry;
  }
  step_.soon();
  if (before == Stage::kChosen) callbacks_.changed();
}

// ---- what comes in ------------------------------------------------------------------------------

void TcpPaths::on_ready(Link& link, bool readable, bool writable) {
  if (link.stage == Stage::kConnecting) {
    if (!link.stream->conclude()) return close(link);
    link.stage = Stage::kChecking;
    link.path.local_address = to_string(link.stream->local());
    return send_check(link, /*nominates=*/false);
  }
  if (writable && link.stream->flush() && &link == best()) callbacks_.writable();
  if (readable) read(link);
}

void TcpPaths::read(Link& link) {
  const std::weak_ptr<const bool> alive = alive_;
  trains_.clear();
  const TcpConnection::State state = link.stream->read();
  bool good = state != TcpConnection::State::kOver;
  while (link.stage != Stage::kClosed) {
    const auto frame = link.stream->next();
    if (!frame) break;
    if (!take(link, *frame)) {
      good = false;
      break;
    }
    if (alive.expired()) return;
  }
  good = good && link.stage != Stage::kClosed && !link.stream->broken();
  // What came before the end counts.
  if (!trains_.empty()) deliver();
  if (!alive.expired() && !good && link.stage != Stage::kClosed) close(link);
}

/// False when the peer is not at the other end.
bool TcpPaths::take(Link& link, ByteView frame) {
  if (wire::looks_like_stun(frame)) return take_check(link, frame);
  if (is_provisional(link.stage)) return false;
  if (trains_.add(frame)) return true;
  const std::weak_ptr<const bool> alive = alive_;
  deliver();
  if (alive.expired()) return true;
  trains_.clear();
  return trains_.add(frame);
}

/// Whoever hears of it may destroy this object.
void TcpPaths::deliver() {
  const auto arrived = callbacks_.arrived;
  arrived(trains_.trains());
}

bool TcpPaths::take_check(Link& link, ByteView message) {
  if (link.outgoing) {
    const auto answer = peer_key_ ? wire::parse_check(message, *peer_key_) : std::nullopt;
    if (!answer || !answer->answer || answer->transaction != link.transaction) return false;
    if (link.stage == Stage::kChecking) {
      send_check(link, /*nominates=*/true);
      choose(link);
    }
    return true;
  }
  const auto check = own_key_ ? wire::parse_check(message, *own_key_) : std::nullopt;
  if (!check || check->answer) return false;
  if (link.stage == Stage::kStranger) {
    if (count(Stage::kProven) + count(Stage::kChosen) >= kMaxTcpOfPeer) return false;
    link.stage = Stage::kProven;
  }
  const wire::StunCheck answer{check->transaction, true, false, std::nullopt};
  if (!link.stream->send_frame(wire::encode(answer, *own_key_))) return false;
  if (check->nominates && link.stage == Stage::kProven) choose(link);
  return true;
}

void TcpPaths::send_check(Link& link, bool nominates) {
  rng_.fill(link.transaction);
  const wire::StunCheck check{link.transaction, false, nominates, std::nullopt};
  link.stream->send_frame(wire::encode(check, *peer_key_));
}

void TcpPaths::choose(Link& link) {
  link.stage = Stage::kChosen;
  if (link.outgoing) {
    for (const auto& other : links_) {
      if (other->outgoing && is_provisional(other->stage)) close(*other);
    }
  }
  callbacks_.changed();
}

// ---- the path -----------------------------------------------------------------------------------

/// Of two, the one that the controlling side has made: so both sides use the same.
TcpPaths::Link* TcpPaths::best() const {
  Link* found = nullptr;
  for (const auto& link : links_) {
    if (link->stage != Stage::kChosen) continue;
    if (found == nullptr || link->outgoing == config_.controlling) found = link.get();
  }
  return found;
}

std::optional<PathInfo> TcpPaths::path() const {
  const Link* link = best();
  if (link == nullptr) return std::nullopt;
  return link->path;
}

quic::SendOutcome TcpPaths::send(const quic::DatagramTrain& train) {
  Link* link = best();
  if (link == nullptr) return quic::SendOutcome::kError;
  const quic::SendOutcome outcome = link->stream->send(train);
  statistics_.count(train, outcome);
  return outcome;
}

}  // namespace peersock::adapters
