#include "adapters/mailbox_server.hpp"

#include <string_view>
#include <utility>

#include <libsoup/soup.h>

#include "adapters/clock.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/mailbox_server_clients.hpp"
#include "adapters/tcp_sockets.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

constexpr const char* kWebsocketPath = "/v1";
constexpr std::string_view kGreeting = "Wormhole Relay\n";
/// Connections that are accepted in one turn of the loop.
constexpr int kAcceptsPerTurn = 32;
/// When the process has no more descriptors, it waits this long for some to be closed.
constexpr Duration kAcceptPause = 1s;

void answer(SoupServer* /*server*/, SoupServerMessage* message, const char* path,
            GHashTable* /*query*/, gpointer /*data*/) noexcept {
  const std::string_view method = soup_server_message_get_method(message);
  if (std::string_view(path) == kWebsocketPath) {
    // Without a status, libsoup goes on with the WebSocket handshake.
    SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
    if (soup_message_headers_get_one(headers, "Upgrade") != nullptr) return;
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Upgrade",
                                 "websocket");
    soup_server_message_set_status(message, 426, "Upgrade Required");
    return;
  }
  if (std::string_view(path) != "/") {
    soup_server_message_set_status(message, SOUP_STATUS_NOT_FOUND, nullptr);
  } else if (method != "GET" && method != "HEAD") {
    soup_server_message_set_status(message, SOUP_STATUS_METHOD_NOT_ALLOWED, nullptr);
  } else {
    soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
    soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_STATIC, kGreeting.data(),
                                     kGreeting.size());
  }
}

}  // namespace

class MailboxServer::Impl {
 public:
  Impl(GMainContext* context, MailboxServerConfig config, Rng& rng)
      : context_(context),
        config_(std::move(config)),
        runner_(wormhole::Server(config_.rules, rng,
                                 static_cast<double>(g_get_real_time()) / G_USEC_PER_SEC,
                                 monotonic_now()),
                *this),
        clients_(context, config_, callbacks()),
        deadline_(context, [this] { run(); }),
        accept_again_(context, [this] { watch(); }) {
    const ThreadDefault scope(context_);
    server_.reset(soup_server_new(nullptr, nullptr));
    // Compression would let a short frame become a long one behind the limits.
    soup_server_remove_websocket_extension(server_.get(), SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    soup_server_add_handler(server_.get(), nullptr, answer, nullptr, nullptr);
    soup_server_add_handler(server_.get(), kWebsocketPath, answer, nullptr, nullptr);
    soup_server_add_websocket_handler(server_.get(), kWebsocketPath, nullptr, nullptr, on_upgraded,
                                      this, nullptr);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;
  ~Impl() {
    clients_.close_all();
    const ThreadDefault scope(context_);
    soup_server_remove_handler(server_.get(), kWebsocketPath);
    soup_server_disconnect(server_.get());
  }

  [[nodiscard]] std::optional<Error> listen() {
    for (const TcpEndpoint& endpoint : config_.listen) {
      auto sockets = listen_tcp(endpoint);
      if (!sockets) return sockets.error();
      for (auto& socket : *sockets) add_listener(std::move(socket));
    }
    watch();
    return std::nullopt;
  }

  void set_trace(TraceHook hook) { runner_.set_trace(std::move(hook)); }
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  [[nodiscard]] wormhole::Server::Counts counts() const { return runner_.machine().counts(); }
  [[nodiscard]] std::size_t connections() const { return clients_.size(); }

  /// For the runner.
  void perform(wormhole::ServerOutput output, Instant /*now*/) {
    std::visit(Overloaded{
                   [this](const wormhole::SendToClient& send) {
                     clients_.send(send.connection, send.frame);
                   },
                   [this](const wormhole::DropClient& drop) { clients_.drop(drop.connection); },
               },
               output);
  }

 private:
  struct Listener {
    GObjectPtr<GSocket> socket;
    std::unique_ptr<Wakeup> ready;
  };

  MailboxServerClients::Callbacks callbacks() {
    using Id = MailboxServerClients::Id;
    return {
        [this](Id id, wormhole::ClientAddress address) {
          post(wormhole::ClientConnected{id, std::move(address)});
        },
        [this](Id id, std::string frame) {
          post(wormhole::ClientFrameReceived{id, std::move(frame)});
        },
        [this](Id id) { post(wormhole::ClientDisconnected{id}); },
    };
  }

  static void on_upgraded(SoupServer* /*server*/, SoupServerMessage* message, const char* /*path*/,
                          SoupWebsocketConnection* websocket, gpointer data) noexcept {
    static_cast<Impl*>(data)->clients_.upgraded(message, websocket);
  }

  void add_listener(GObjectPtr<GSocket> socket) {
    urls_.push_back("ws://" + local_authority(socket.get()) + kWebsocketPath);
    GSocket* listening = socket.get();
    listeners_.push_back({std::move(socket), std::make_unique<Wakeup>(context_, [this, listening] {
                            accept(listening);
                          })});
  }

  void watch() {
    for (const Listener& listener : listeners_) {
      listener.ready->watch(g_socket_get_fd(listener.socket.get()), G_IO_IN);
    }
  }

  void accept(GSocket* listening) {
    bool progress = false;
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      GError* raw = nullptr;
      GObjectPtr<GSocket> socket(g_socket_accept(listening, nullptr, &raw));
      const ErrorPtr error(raw);
      if (socket) {
        progress = true;
        clients_.accept(server_.get(), std::move(socket));
      } else if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        return;
      } else if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES)) {
        break;  // any other error is about one client that has gone again
      }
    }
    if (progress) return;
    // The socket stays readable, and nothing helps but to wait until something is closed.
    for (const Listener& listener : listeners_) listener.ready->unwatch();
    accept_again_.after(kAcceptPause);
  }

  void post(wormhole::ServerInput input) {
    runner_.post(std::move(input));
    run();
  }

  // A send may end a connection, but that is told from the loop: nothing comes back in here.
  void run() {
    const Instant now = monotonic_now();
    runner_.wake(now);
    while (runner_.step(now)) {
    }
    if (const auto due = runner_.deadline()) {
      deadline_.after(std::max<Duration>(*due - now, Duration{0}));
    } else {
      deadline_.cancel();
    }
  }

  GMainContext* context_;
  MailboxServerConfig config_;
  Runner<wormhole::Server, Impl> runner_;
  MailboxServerClients clients_;
  Wakeup deadline_;
  Wakeup accept_again_;
  GObjectPtr<SoupServer> server_;
  std::vector<Listener> listeners_;
  std::vector<std::string> urls_;
};

Result<std::unique_ptr<MailboxServer>> MailboxServer::create(GMainContext* context,
                                                             MailboxServerConfig config, Rng& rng) {
  auto impl = std::make_unique<Impl>(context, std::move(config), rng);
  if (auto error = impl->listen()) return tl::unexpected(*std::move(error));
  return std::unique_ptr<MailboxServer>(new MailboxServer(std::move(impl)));
}

MailboxServer::MailboxServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MailboxServer::~MailboxServer() = default;

void MailboxServer::set_trace(TraceHook hook) {
  impl_->set_trace(std::move(hook));
}
const std::vector<std::string>& MailboxServer::urls() const {
  return impl_->urls();
}
wormhole::Server::Counts MailboxServer::counts() const {
  return impl_->counts();
}
std::size_t MailboxServer::connections() const {
  return impl_->connections();
}

}  // namespace peersock::adapters
