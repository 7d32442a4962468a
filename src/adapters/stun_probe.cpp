#include "adapters/stun_probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>

#include "adapters/clock.hpp"
#include "adapters/fd_watch.hpp"
#include "adapters/interfaces.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/udp_datagrams.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

namespace nat = ice::nat;

/// A flood may not keep the loop from its timers.
constexpr int kMostInOneTurn = 64;

/// Bound to any address and a port of the system's choice; errno tells why there is none.
UniqueFd open_udp(int family) {
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const int on = 1;
  if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const auto any = numeric_address(family == AF_INET6 ? "::" : "0.0.0.0", 0);
  if (!any || bind(fd.get(), any->get(), any->size) != 0) fd.reset();
  return fd;
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  for (auto& found : list_interfaces()) addresses.push_back(std::move(found.address));
  return addresses;
}

/// The system says for sure that there is no way; anything else may pass.
bool is_hopeless(int error) {
  return error != EAGAIN && error != EINTR && error != ENOBUFS && error != ENOMEM;
}

}  // namespace

class StunProbe::Impl : public std::enable_shared_from_this<StunProbe::Impl> {
 public:
  Impl(GMainContext* context, Rng& rng, std::array<UniqueFd, 2> sockets, nat::ProbeConfig config,
       Done done)
      : rng_(rng),
        sockets_(std::move(sockets)),
        done_(std::move(done)),
        runner_(nat::Probe(std::move(config)), *this),
        deadline_(context, [this] { expire(); }),
        first_(context, sockets_[0].get(), [this](bool, bool) { receive(0); }),
        second_(context, sockets_[1].get(), [this](bool, bool) { receive(1); }) {}

  void set_trace(TraceHook hook) { runner_.set_trace(std::move(hook)); }

  void start() {
    first_.watch(true, false);
    second_.watch(true, false);
    runner_.post(nat::Started{});
    run();
  }
  void stop() {
    runner_.post(nat::StopRequested{});
    run();
  }
  void silence() {
    done_ = nullptr;
    rest();
  }

  // As Runner's host.
  void perform(nat::ProbeOutput output, Instant /*now*/) {
    std::visit([this](auto& held) { carry_out(held); }, output);
  }

 private:
  void carry_out(const nat::SendBinding& binding) {
    send(binding.request, binding.socket, binding.destination,
         {transaction(binding.request), binding.change_address, binding.change_port});
  }
  void carry_out(const nat::SendHairpin& hairpin) {
    send(hairpin.request, hairpin.socket, hairpin.destination, {transaction(hairpin.request)});
  }
  void carry_out(const nat::Finished& finished) { report_ = finished.report; }

  const wire::StunTransaction& transaction(nat::RequestId request) {
    while (transactions_.size() <= request) rng_.fill(transactions_.emplace_back());
    return transactions_[request];
  }

  void send(nat::RequestId id, nat::Socket socket, const wire::StunAddress& to,
            const wire::StunRequest& request) {
    const auto address = numeric_address(to.address, to.port);
    const Bytes octets = wire::encode(request);
    const int fd = sockets_.at(static_cast<std::size_t>(socket)).get();
    if (!address || (::sendto(fd, octets.data(), octets.size(), MSG_NOSIGNAL, address->get(),
                              address->size) < 0 &&
                     is_hopeless(errno))) {
      runner_.post(nat::SendFailed{id});
    }
  }

  void receive(std::size_t index) {
    const auto self = shared_from_this();
    std::array<std::uint8_t, wire::kMaxStunMessage + 1> buffer;  // NOLINT: filled by the system
    for (int i = 0; i < kMostInOneTurn; ++i) {
      SocketAddress from;
      from.size = sizeof from.storage;
      const ssize_t size = ::recvfrom(sockets_.at(index).get(), buffer.data(), buffer.size(), 0,
                                      reinterpret_cast<sockaddr*>(&from.storage), &from.size);
      if (size < 0) break;
      if (const auto sender = numeric_endpoint(from)) {
        take(ByteView(buffer).first(static_cast<std::size_t>(size)), *sender);
      }
    }
    run();
  }

  void take(ByteView datagram, const wire::StunAddress& from) {
    const auto message = wire::parse_stun(datagram);
    if (!message) return;
    const auto found = std::find(transactions_.begin(), transactions_.end(), message->transaction);
    if (found == transactions_.end()) return;
    const auto id = static_cast<nat::RequestId>(found - transactions_.begin());
    if (message->kind == wire::StunKind::kRequest) {
      runner_.post(nat::HairpinArrived{id});
    } else if (message->kind == wire::StunKind::kSuccess && message->mapped) {
      runner_.post(nat::BindingAnswered{id, from, *message->mapped, message->other});
    } else {
      runner_.post(nat::BindingRefused{id});
    }
  }

  void expire() {
    runner_.wake(monotonic_now());
    run();
  }

  void run() {
    const auto self = shared_from_this();
    while (runner_.step(monotonic_now())) {
    }
    if (report_) {
      rest();
      const Done done = std::exchange(done_, nullptr);
      if (done) done(*report_);
      return;
    }
    const auto due = runner_.deadline();
    if (due) deadline_.after(std::max(*due - monotonic_now(), Duration::zero()));
  }

  void rest() {
    deadline_.cancel();
    first_.watch(false, false);
    second_.watch(false, false);
  }

  Rng& rng_;
  std::array<UniqueFd, 2> sockets_;
  Done done_;
  std::vector<wire::StunTransaction> transactions_;  // by request
  std::optional<nat::Report> report_;
  Runner<nat::Probe, Impl> runner_;
  Wakeup deadline_;
  FdWatch first_;
  FdWatch second_;
};

Result<std::unique_ptr<StunProbe>> StunProbe::create(GMainContext* context, Rng& rng,
                                                     StunProbeConfig config, Done done) {
  const auto server = numeric_address(config.server.address, config.server.port);
  if (!server) return fail(ErrorKind::kInternal, "The STUN server's address is not a numeric one");
  std::array<UniqueFd, 2> sockets{open_udp(server->family()), open_udp(server->family())};
  if (!sockets[0] || !sockets[1]) {
    return fail(ErrorKind::kInternal,
                fmt::format("There is no UDP socket for {}", config.server.address));
  }
  nat::ProbeConfig probe;
  probe.server = std::move(config.server);
  probe.others = std::move(config.others);
  probe.local_addresses = own_addresses();
  probe.local_ports = {port_of(bound_address(sockets[0].get())),
                       port_of(bound_address(sockets[1].get()))};
  return std::unique_ptr<StunProbe>(new StunProbe(
      std::make_shared<Impl>(context, rng, std::move(sockets), std::move(probe), std::move(done))));
}

StunProbe::StunProbe(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

StunProbe::~StunProbe() {
  impl_->silence();
}

void StunProbe::start() {
  impl_->start();
}

void StunProbe::stop() {
  impl_->stop();
}

void StunProbe::set_trace(TraceHook hook) {
  impl_->set_trace(std::move(hook));
}

}  // namespace peersock::adapters
