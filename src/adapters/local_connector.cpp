#include "adapters/local_connector.hpp"

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/fd_watch.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

/// A Unix socket whose queue is full is asked again after this long.
constexpr Duration kQueueDelay = 50ms;

/// The families by turns, beginning with the resolver's favourite (RFC 8305 section 4).
std::vector<SocketAddress> interleave(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> first;
  std::vector<SocketAddress> second;
  for (const SocketAddress& address : addresses) {
    const bool leads = address.family() == addresses.front().family();
    (leads ? first : second).push_back(address);
  }
  std::vector<SocketAddress> mixed;
  mixed.reserve(addresses.size());
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

}  // namespace

/// The way to one connection: look-up, then addresses in turn until one answers.
class LocalConnector::Attempt {
 public:
  Attempt(LocalConnector& owner, tunnel::ConnectionId id)
      : owner_(owner),
        id_(id),
        next_(owner.context_, [this] { try_next(); }),
        timeout_(owner.context_, [this] { give_up("it does not answer"); }) {}

  void start();

 private:
  struct Trial {
    UniqueFd fd;
    std::optional<FdWatch> watch;  ///< goes before the descriptor does
  };
  using Trials = std::list<Trial>;

  void resolved(ResolveResult result);
  void try_next();
  void try_address(const SocketAddress& address);
  void answered(Trials::iterator trial);
  void failed(int error);
  void give_up(const std::string& why);

  LocalConnector& owner_;
  tunnel::ConnectionId id_;
  Lookup lookup_;
  std::vector<SocketAddress> addresses_;
  std::size_t at_ = 0;
  Trials trials_;
  Wakeup next_;
  Wakeup timeout_;
  bool refused_ = false;
  int last_error_ = 0;
};

void LocalConnector::Attempt::start() {
  timeout_.after(kConnectTimeout);
  if (const auto* file = std::get_if<UnixEndpoint>(&owner_.target_)) {
    if (const auto address = unix_address(file->path)) addresses_ = {*address};
    return next_.soon();
  }
  const auto& tcp = std::get<TcpEndpoint>(owner_.target_);
  if (const auto address = numeric_address(tcp.host, tcp.port)) {
    addresses_ = {*address};
    return next_.soon();
  }
  lookup_ = owner_.resolver_(tcp.host, kConnectTimeout,
                             [this](ResolveResult result) { resolved(std::move(result)); });
}

void LocalConnector::Attempt::resolved(ResolveResult result) {
  if (!result) return give_up(result.error());
  const std::uint16_t port = std::get<TcpEndpoint>(owner_.target_).port;
  std::vector<SocketAddress> found;
  for (const std::string& host : *result) {
    if (const auto address = numeric_address(host, port)) found.push_back(*address);
  }
  addresses_ = interleave(found);
  try_next();
}

void LocalConnector::Attempt::try_next() {
  if (at_ < addresses_.size()) {
    next_.after(kAttemptDelay);
    return try_address(addresses_[at_++]);
  }
  next_.cancel();
  if (!trials_.empty()) return;  // they may still answer
  give_up(last_error_ != 0 ? g_strerror(last_error_) : "it has no address");
}

void LocalConnector::Attempt::try_address(const SocketAddress& address) {
  UniqueFd fd = open_socket(address.family());
  if (!fd) return failed(errno);
  const int raw = fd.get();
  if (::connect(raw, address.get(), address.size) != 0) {
    if (errno == EAGAIN) {
      --at_;
      return next_.after(kQueueDelay);
    }
    if (errno != EINPROGRESS && errno != EINTR) return failed(errno);
  }
  const auto trial = trials_.emplace(trials_.end());
  trial->fd = std::move(fd);
  trial->watch.emplace(owner_.context_, raw, [this, trial](bool, bool) { answered(trial); });
  trial->watch->watch(false, true);
}

void LocalConnector::Attempt::answered(Trials::iterator trial) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(trial->fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  trial->watch.reset();
  UniqueFd fd = std::move(trial->fd);
  trials_.erase(trial);
  if (error != 0) return failed(error);
  owner_.finish(id_, std::move(fd));
}

/// Whatever failed, the next address is not waited for.
void LocalConnector::Attempt::failed(int error) {
  refused_ = refused_ || error == ECONNREFUSED;
  last_error_ = error;
  next_.soon();
}

void LocalConnector::Attempt::give_up(const std::string& why) {
  const std::string target = to_string(owner_.target_);
  if (refused_) {
    return owner_.finish(
        id_,
        tl::unexpected(tunnel::TargetFailure{
            CloseReason::kRefused,
            fmt::format("{} refused the connection; check that the service is running", target)}));
  }
  owner_.finish(id_, tl::unexpected(tunnel::TargetFailure{
                         CloseReason::kUnreachable,
                         fmt::format("{} can not be reached ({}); check the address and that the "
                                     "service is running",
                                     target, why)}));
}

LocalConnector::LocalConnector(GMainContext* context, Endpoint target, Resolver resolver,
                               Handler handler)
    : context_(context),
      target_(std::move(target)),
      resolver_(std::move(resolver)),
      handler_(std::make_shared<const Handler>(std::move(handler))) {}

LocalConnector::~LocalConnector() = default;

void LocalConnector::connect(tunnel::ConnectionId id) {
  auto& attempt = attempts_[id];
  attempt = std::make_unique<Attempt>(*this, id);
  attempt->start();
}

void LocalConnector::cancel(tunnel::ConnectionId id) {
  attempts_.erase(id);
}

void LocalConnector::finish(tunnel::ConnectionId id, Outcome outcome) {
  // The attempt is in the middle of a call; it goes when that has returned.
  const auto attempt = attempts_.extract(id);
  const auto handler = handler_;
  (*handler)(id, std::move(outcome));
}

}  // namespace peersock::adapters
