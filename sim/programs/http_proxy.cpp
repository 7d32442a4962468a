#include "programs/http_proxy.hpp"

#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/local_connector.hpp"
#include "programs/octet_relay.hpp"
#include "programs/sockets.hpp"

namespace peersock::sim {
namespace {

constexpr std::size_t kLongestHead = 16384;
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::uint64_t kWorks = 200;

/// `host:port` of a CONNECT request, IPv6 in brackets.
std::optional<TcpEndpoint> target_of(std::string_view head) {
  constexpr std::string_view kMethod = "CONNECT ";
  const auto end = head.find(" HTTP/1.1\r\n");
  if (!head.starts_with(kMethod) || end == std::string_view::npos) return std::nullopt;
  const auto authority = head.substr(kMethod.size(), end - kMethod.size());
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto digits = authority.substr(colon + 1);
  std::uint16_t port = 0;
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (host.empty() || port == 0) return std::nullopt;
  return TcpEndpoint{std::string(host), port};
}

std::string authorization(const std::string& credentials) {
  const adapters::GCharPtr text(
      g_base64_encode(reinterpret_cast<const guchar*>(credentials.data()), credentials.size()));
  return fmt::format("\r\nProxy-Authorization: Basic {}\r\n", text.get());
}

}  // namespace

/// One connection: its request, the way to its target, and what goes over both.
class HttpProxy::Client {
 public:
  Client(GMainContext* context, adapters::UniqueFd fd, const Manner& manner,
         std::function<void()> over)
      : context_(context),
        fd_(std::move(fd)),
        manner_(manner),
        over_(std::move(over)),
        watch_(std::in_place, context, fd_.get(), [this](bool, bool) { read_head(); }) {
    watch_->watch(true, false);
  }

 private:
  void read_head();
  void judge();
  void connect(const TcpEndpoint& target);
  void connected(adapters::LocalConnector::Outcome outcome);
  void say(std::uint64_t status);
  void end() {
    const auto over = over_;
    over();
  }

  GMainContext* context_;
  adapters::UniqueFd fd_;
  const Manner& manner_;
  std::function<void()> over_;
  std::string head_;
  std::optional<adapters::LocalConnector> connector_;
  std::optional<OctetRelay> relay_;
  std::optional<adapters::FdWatch> watch_;
};

void HttpProxy::Client::read_head() {
  std::array<char, 4096> part{};
  const ssize_t got = recv(fd_.get(), part.data(), part.size(), MSG_DONTWAIT);
  if (got <= 0) return end();
  head_.append(part.data(), static_cast<std::size_t>(got));
  if (head_.ends_with(kEndOfHead)) return judge();
  if (head_.size() > kLongestHead) end();
}

void HttpProxy::Client::judge() {
  if (manner_.status == 0) return;  // and when the client has had enough, it goes
  const auto target = target_of(head_);
  std::uint64_t status = target ? manner_.status : 400;
  if (!manner_.credentials.empty() &&
      head_.find(authorization(manner_.credentials)) == std::string::npos) {
    status = 407;
  }
  if (status == kWorks) return connect(*target);
  say(status);
  end();
}

void HttpProxy::Client::connect(const TcpEndpoint& target) {
  watch_->watch(false, false);
  connector_.emplace(
      context_, target, adapters::make_system_resolver(context_),
      [this](tunnel::ConnectionId /*id*/, adapters::LocalConnector::Outcome outcome) {
        connected(std::move(outcome));
      });
  connector_->connect(1);
}

void HttpProxy::Client::connected(adapters::LocalConnector::Outcome outcome) {
  say(outcome ? kWorks : 502);
  if (!outcome) return end();
  relay_.emplace(context_, std::move(fd_), std::move(*outcome), [this] { end(); });
}

void HttpProxy::Client::say(std::uint64_t status) {
  const auto text = fmt::format("HTTP/1.1 {} As it is\r\n\r\n", status);
  // Short enough for any buffer; whoever has gone is seen by reading.
  (void)send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

HttpProxy::HttpProxy(GMainContext* context, const std::string& address, std::uint16_t port,
                     Manner manner)
    : context_(context),
      manner_(std::move(manner)),
      listening_(bound_socket(SOCK_STREAM, address, port)),
      arrivals_(context, listening_.get(), [this](bool, bool) { accept_all(); }) {
  arrivals_.watch(true, false);
}

HttpProxy::~HttpProxy() = default;

void HttpProxy::accept_all() {
  for (;;) {
    adapters::UniqueFd fd(
        accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    auto key = std::make_shared<const Client*>(nullptr);
    auto client = std::make_unique<Client>(context_, std::move(fd), manner_,
                                           [this, key] { clients_.erase(*key); });
    *key = client.get();
    clients_[*key] = std::move(client);
  }
}

}  // namespace peersock::sim
