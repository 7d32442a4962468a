#include "adapters/stream_dial.hpp"

#include <optional>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "adapters/forgotten_task.hpp"
#include "adapters/head_exchange.hpp"

namespace peersock::adapters {
namespace {

/// Octets of a TCP segment that fits the least MTU of IPv6, 1280 (RFC 8200 section 5).
constexpr gint kSegment = 1220;

/// Names of other scripts as DNS has them (RFC 5890); addresses and the rest as they are.
std::string ascii_of(const std::string& host) {
  const GCharPtr ascii(g_hostname_to_ascii(host.c_str()));
  return ascii ? ascii.get() : host;
}

GObjectPtr<GSocketConnectable> connectable(const std::string& host, std::uint16_t port) {
  return GObjectPtr<GSocketConnectable>(g_network_address_new(host.c_str(), port));
}

}  // namespace

class StreamDial::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, StreamTarget target, StreamDialConfig config,
       StreamDialCallbacks callbacks)
      : context_(context),
        target_(std::move(target)),
        config_(config),
        callbacks_(std::move(callbacks)),
        authority_(authority_text(target_.host, target_.port)) {
    if (target_.proxy) proxy_authority_ = authority_text(target_.proxy->host, target_.proxy->port);
  }

  void start();
  void give_up();
  [[nodiscard]] DialPhase phase() const { return phase_; }
  [[nodiscard]] std::string timeout_reason(Duration after) const {
    const bool at_proxy = target_.proxy && phase_ <= DialPhase::kAskingProxy;
    return adapters::timeout_reason(phase_, at_proxy ? "the proxy " + proxy_authority_ : authority_,
                                    after, target_.without_tls);
  }

 private:
  using Ticket = std::weak_ptr<Impl>;

  static void on_event(GSocketClient* client, GSocketClientEvent event,
                       GSocketConnectable* connectable, GIOStream* connection,
                       gpointer data) noexcept;
  static gboolean on_certificate(GTlsConnection* connection, GTlsCertificate* certificate,
                                 GTlsCertificateFlags faults, gpointer data) noexcept;
  static void on_connected(GObject* client, GAsyncResult* result, gpointer data) noexcept;
  static void on_secured(GObject* connection, GAsyncResult* result, gpointer data) noexcept;

  void prepare(GSocket* socket) const;
  void ask_proxy();
  void hear_proxy(const HeadOutcome& outcome);
  void secure_or_open();
  void secure();
  void open();
  void fail(const std::string& reason);
  [[nodiscard]] std::string unreached(const GError& error) const;

  GMainContext* context_;
  StreamTarget target_;
  StreamDialConfig config_;
  StreamDialCallbacks callbacks_;
  std::string authority_;
  std::string proxy_authority_;
  DialPhase phase_ = DialPhase::kResolving;
  GTlsCertificateFlags certificate_faults_ = G_TLS_CERTIFICATE_NO_FLAGS;
  GObjectPtr<GSocketClient> client_;
  GObjectPtr<GTlsConnection> tls_;
  GObjectPtr<GCancellable> cancellable_;
  GObjectPtr<GIOStream> stream_;
  std::optional<HeadExchange> exchange_;
};

// --- TCP

void StreamDial::Impl::start() {
  const auto address = target_.proxy ? connectable(target_.proxy->host, target_.proxy->port)
                                     : connectable(target_.host, target_.port);
  client_.reset(g_socket_client_new());
  // Ours, if any: GIO's own way through a proxy bounds neither its answer nor its threads.
  g_socket_client_set_enable_proxy(client_.get(), FALSE);
  g_signal_connect(client_.get(), "event", G_CALLBACK(on_event), this);
  cancellable_.reset(g_cancellable_new());
  const ThreadDefault scope(context_);
  g_socket_client_connect_async(client_.get(), address.get(), cancellable_.get(), on_connected,
                                new Ticket(weak_from_this()));
}

void StreamDial::Impl::on_event(GSocketClient* /*client*/, GSocketClientEvent event,
                                GSocketConnectable* /*connectable*/, GIOStream* connection,
                                gpointer data) noexcept {
  auto* self = static_cast<Impl*>(data);
  if (event != G_SOCKET_CLIENT_CONNECTING) return;
  self->phase_ = DialPhase::kConnecting;
  // Before the handshake of TCP, which tells the server how long a segment may be.
  if (!G_IS_SOCKET_CONNECTION(connection)) return;
  self->prepare(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)));
}

void StreamDial::Impl::prepare(GSocket* socket) const {
  // Several short frames leave in one flight.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.max_unacknowledged);
  g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<gint>(limit.count()),
                      nullptr);
  // Where packets that are too long vanish without a word, only short ones arrive; it limits what
  // the server sends as well.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_MAXSEG, kSegment, nullptr);
}

void StreamDial::Impl::on_connected(GObject* client, GAsyncResult* result, gpointer data) noexcept {
  const std::unique_ptr<Ticket> ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  GObjectPtr<GSocketConnection> connection(
      g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &raw));
  const ErrorPtr error(raw);
  const auto self = ticket->lock();
  if (!connection && self) release_forgotten_task(result, self->context_);
  if (!self || !self->client_) return;
  if (!connection) return self->fail(self->unreached(*error));
  self->stream_.reset(G_IO_STREAM(connection.release()));
  if (self->target_.proxy) return self->ask_proxy();
  self->secure_or_open();
}

std::string StreamDial::Impl::unreached(const GError& error) const {
  return target_.proxy ? connect_reason(error, "the proxy " + proxy_authority_)
                       : connect_reason(error, authority_);
}

// --- the proxy

void StreamDial::Impl::ask_proxy() {
  phase_ = DialPhase::kAskingProxy;
  exchange_.emplace(
      context_, stream_.get(),
      wire::make_connect_request(ascii_of(target_.host), target_.port, target_.proxy->credentials),
      wire::kMaxConnectHead, [this](const HeadOutcome& outcome) { hear_proxy(outcome); });
}

void StreamDial::Impl::hear_proxy(const HeadOutcome& outcome) {
  const auto self = shared_from_this();
  const ProxyRefusal refusal{proxy_authority_, authority_, !target_.proxy->credentials.empty()};
  if (outcome.kind == HeadOutcome::Kind::kBroken) {
    return fail(connect_reason(*outcome.error, "the proxy " + proxy_authority_));
  }
  if (outcome.kind == HeadOutcome::Kind::kEnded && outcome.head.empty()) {
    return fail("the proxy " + proxy_authority_ + " closed the connection without an answer");
  }
  const auto status = outcome.kind == HeadOutcome::Kind::kComplete
                          ? wire::parse_connect_answer(outcome.head)
                          : std::nullopt;
  if (!status) return fail(proxy_reason(refusal, 0));
  if (*status < 200 || *status > 299) return fail(proxy_reason(refusal, *status));
  secure_or_open();
}

// --- TLS

void StreamDial::Impl::secure_or_open() {
  if (target_.tls) return secure();
  open();
}

void StreamDial::Impl::secure() {
  phase_ = DialPhase::kSecuring;
  const auto identity = connectable(target_.host, target_.port);
  GError* raw = nullptr;
  GIOStream* made = g_tls_client_connection_new(stream_.get(), identity.get(), &raw);
  const ErrorPtr error(raw);
  if (made == nullptr) {
    return fail(tls_reason(*error, authority_, certificate_faults_, target_.without_tls));
  }
  tls_.reset(G_TLS_CONNECTION(made));
  if (config_.trusted != nullptr) g_tls_connection_set_database(tls_.get(), config_.trusted);
  g_signal_connect(tls_.get(), "accept-certificate", G_CALLBACK(on_certificate), this);
  const ThreadDefault scope(context_);
  g_tls_connection_handshake_async(tls_.get(), G_PRIORITY_DEFAULT, cancellable_.get(), on_secured,
                                   new Ticket(weak_from_this()));
}

gboolean StreamDial::Impl::on_certificate(GTlsConnection* /*connection*/,
                                          GTlsCertificate* /*certificate*/,
                                          GTlsCertificateFlags faults, gpointer data) noexcept {
  static_cast<Impl*>(data)->certificate_faults_ = faults;
  return FALSE;
}

void StreamDial::Impl::on_secured(GObject* connection, GAsyncResult* result,
                                  gpointer data) noexcept {
  const std::unique_ptr<Ticket> ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  const bool done =
      g_tls_connection_handshake_finish(G_TLS_CONNECTION(connection), result, &raw) != 0;
  const ErrorPtr error(raw);
  const auto self = ticket->lock();
  if (!self || !self->client_) return;
  if (!done) {
    return self->fail(
        tls_reason(*error, self->authority_, self->certificate_faults_, self->target_.without_tls));
  }
  self->stream_.reset(G_IO_STREAM(g_object_ref(self->tls_.get())));
  self->open();
}

// --- the end

void StreamDial::Impl::open() {
  const auto self = shared_from_this();
  phase_ = DialPhase::kUpgrading;
  auto stream = std::move(stream_);
  give_up();
  if (callbacks_.on_open) callbacks_.on_open(std::move(stream));
}

void StreamDial::Impl::fail(const std::string& reason) {
  const auto self = shared_from_this();
  give_up();
  if (callbacks_.on_failed) callbacks_.on_failed(reason);
}

void StreamDial::Impl::give_up() {
  const ThreadDefault scope(context_);
  if (client_) g_signal_handlers_disconnect_by_data(client_.get(), this);
  client_.reset();
  exchange_.reset();
  if (tls_) g_signal_handlers_disconnect_by_data(tls_.get(), this);
  tls_.reset();
  if (cancellable_) g_cancellable_cancel(cancellable_.get());
  cancellable_.reset();
  stream_.reset();
}

StreamDial::StreamDial(GMainContext* context, StreamTarget target, StreamDialConfig config,
                       StreamDialCallbacks callbacks)
    : impl_(std::make_shared<Impl>(context, std::move(target), config, std::move(callbacks))) {}
StreamDial::~StreamDial() {
  impl_->give_up();
}

void StreamDial::start() {
  impl_->start();
}
DialPhase StreamDial::phase() const {
  return impl_->phase();
}
std::string StreamDial::timeout_reason(Duration after) const {
  return impl_->timeout_reason(after);
}

}  // namespace peersock::adapters
