#include "adapters/mailbox_server.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "adapters/clock.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/http_request.hpp"
#include "adapters/mailbox_admin.hpp"
#include "adapters/mailbox_listeners.hpp"
#include "adapters/mailbox_persistence.hpp"
#include "adapters/mailbox_server_clients.hpp"
#include "adapters/mailbox_store.hpp"
#include "adapters/tls_server.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

constexpr const char* kWebsocketPath = "/v1";
constexpr std::string_view kGreeting = "Wormhole Relay\n";

HttpAnswer answer_request(const HttpRequest& request) {
  if (request.path == kWebsocketPath) return answer_websocket_handshake(request);
  HttpAnswer answer;
  if (request.path != "/") {
    answer.status = SOUP_STATUS_NOT_FOUND;
  } else if (request.method != "GET" && request.method != "HEAD") {
    answer.status = SOUP_STATUS_METHOD_NOT_ALLOWED;
  } else {
    answer.body = kGreeting;
  }
  return answer;
}

MailboxStateRestored sizes_of(const wormhole::ServerState& state) {
  MailboxStateRestored sizes{state.mailboxes.size(), state.nameplates.size(), 0};
  for (const auto& mailbox : state.mailboxes) sizes.messages += mailbox.messages.size();
  return sizes;
}

}  // namespace

class MailboxServer::Impl {
 public:
  Impl(GMainContext* context, MailboxServerConfig config, Rng& rng)
      : context_(context),
        config_(std::move(config)),
        rng_(rng),
        clients_(context, config_, totals_, callbacks()),
        deadline_(context, [this] { run(); }),
        listeners_(context, [this](UniqueFd socket, GSocketAddress* remote) {
          clients_.accept(std::move(socket), remote, tls_.get());
        }) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;
  ~Impl() = default;

  [[nodiscard]] Result<void> start() {
    if (auto loaded = reload_tls(); !loaded) return loaded;
    if (auto restored = restore(); !restored) return restored;
    for (const Endpoint& endpoint : config_.listen) {
      if (auto added = listeners_.add(endpoint, config_.unix_mode); !added) return added;
    }
    for (const auto& address : listeners_.addresses()) {
      const std::string scheme = config_.tls ? "wss://" : "ws://";
      urls_.push_back(address.is_unix ? address.text : scheme + address.text + kWebsocketPath);
    }
    if (config_.admin) {
      admin_ =
          std::make_unique<MailboxAdmin>(context_, config_.version, [this] { return status(); });
      if (auto added = admin_->listen(*config_.admin, config_.unix_mode); !added) return added;
      admin_urls_ = admin_->urls();
    }
    listeners_.watch();
    run();
    return {};
  }

  [[nodiscard]] Result<void> reload_tls() {
    if (!config_.tls) return {};
    auto context = load_tls_server(config_.tls->certificate, config_.tls->key);
    if (!context) return tl::unexpected(context.error());
    tls_ = *std::move(context);
    return {};
  }

  void set_trace(TraceHook hook) { runner_->set_trace(std::move(hook)); }
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  [[nodiscard]] const std::vector<std::string>& admin_urls() const { return admin_urls_; }
  [[nodiscard]] wormhole::Server::Counts counts() const { return runner_->machine().counts(); }
  [[nodiscard]] std::size_t connections() const { return clients_.size(); }
  [[nodiscard]] MailboxStatus status() const {
    return {clients_.size(), counts(), totals_, persistence_ != nullptr,
            persistence_ != nullptr && persistence_->failing()};
  }

  /// For the runner.
  void perform(wormhole::ServerOutput output, Instant /*now*/) {
    if (persistence_) return persistence_->take(std::move(output));
    release(output);
  }

 private:
  void release(const wormhole::ServerOutput& output) {
    std::visit(Overloaded{
                   [this](const wormhole::SendToClient& send) {
                     clients_.send(send.connection, send.frame);
                   },
                   [this](const wormhole::DropClient& drop) { clients_.drop(drop.connection); },
                   [](const wormhole::StoreChange&) {},
               },
               output);
  }

  MailboxServerClients::Callbacks callbacks() {
    using Id = MailboxServerClients::Id;
    return {
        answer_request,
        [this](wormhole::ClientConnected fact) { post(std::move(fact)); },
        [this](Id id, std::string frame) {
          post(wormhole::ClientFrameReceived{id, std::move(frame)});
        },
        [this](Id id) { post(wormhole::ClientDisconnected{id}); },
    };
  }

  /// Makes the machine, with what the state file holds.
  [[nodiscard]] Result<void> restore() {
    MailboxStore::Opened opened;
    if (config_.state_file) {
      config_.rules.store_changes = true;
      auto file = MailboxStore::open(*config_.state_file);
      if (!file) return tl::unexpected(file.error());
      opened = *std::move(file);
    }
    const MailboxStateRestored read = sizes_of(opened.state);
    runner_.emplace(wormhole::Server(config_.rules, rng_,
                                     static_cast<double>(g_get_real_time()) / G_USEC_PER_SEC,
                                     monotonic_now(), std::move(opened.state)),
                    *this);
    return opened.store ? keep_in(std::move(opened.store), read) : Result<void>();
  }

  [[nodiscard]] Result<void> keep_in(std::unique_ptr<MailboxStore> store,
                                     const MailboxStateRestored& read) {
    const auto now = counts();
    const MailboxStateRestored taken{now.mailboxes, now.nameplates, now.messages};
    // What the machine left out can not stay: later changes build on what is there.
    if (taken != read) {
      if (auto written = store->rewrite(runner_->machine().state()); !written) return written;
    }
    persistence_ = std::make_unique<MailboxPersistence>(
        context_, std::move(store), config_.state_retry, totals_,
        MailboxPersistence::Hooks{[this](const wormhole::ServerOutput& output) { release(output); },
                                  [this] { return runner_->machine().state(); }, config_.report});
    if (config_.report) config_.report(taken);
    return {};
  }

  void post(wormhole::ServerInput input) {
    runner_->post(std::move(input));
    run();
  }

  // A send may end a connection, but that is told from the loop: nothing comes back in here.
  void run() {
    const Instant now = monotonic_now();
    runner_->wake(now);
    while (runner_->step(now)) {
    }
    if (const auto due = runner_->deadline()) {
      deadline_.after(std::max<Duration>(*due - now, Duration{0}));
    } else {
      deadline_.cancel();
    }
  }

  GMainContext* context_;
  MailboxServerConfig config_;
  Rng& rng_;
  MailboxTotals totals_;
  SslContextPtr tls_;
  std::optional<Runner<wormhole::Server, Impl>> runner_;  ///< since `restore`
  std::unique_ptr<MailboxPersistence> persistence_;       ///< with a state file
  MailboxServerClients clients_;
  Wakeup deadline_;
  MailboxListeners listeners_;
  std::unique_ptr<MailboxAdmin> admin_;
  std::vector<std::string> urls_;
  std::vector<std::string> admin_urls_;
};

Result<std::unique_ptr<MailboxServer>> MailboxServer::create(GMainContext* context,
                                                             MailboxServerConfig config, Rng& rng) {
  auto impl = std::make_unique<Impl>(context, std::move(config), rng);
  if (auto started = impl->start(); !started) return tl::unexpected(started.error());
  return std::unique_ptr<MailboxServer>(new MailboxServer(std::move(impl)));
}

MailboxServer::MailboxServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MailboxServer::~MailboxServer() = default;

void MailboxServer::set_trace(TraceHook hook) {
  impl_->set_trace(std::move(hook));
}
Result<void> MailboxServer::reload_tls() {
  return impl_->reload_tls();
}
const std::vector<std::string>& MailboxServer::urls() const {
  return impl_->urls();
}
const std::vector<std::string>& MailboxServer::admin_urls() const {
  return impl_->admin_urls();
}
wormhole::Server::Counts MailboxServer::counts() const {
  return impl_->counts();
}
std::size_t MailboxServer::connections() const {
  return impl_->connections();
}
MailboxStatus MailboxServer::status() const {
  return impl_->status();
}

}  // namespace peersock::adapters
