#include "adapters/mailbox_link.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/mailbox_link_reason.hpp"
#include "adapters/socket_octets.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::adapters {
namespace {

/// Framing, pings and TLS records beside one message.
constexpr std::uint64_t kMaxFraming = std::uint64_t{256} * 1024;

/// SOUP_HTTP_URI_FLAGS, whose macro is C alone.
constexpr unsigned kUriFlags = G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH |
                               G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_FRAGMENT |
                               G_URI_FLAGS_SCHEME_NORMALIZE;

/// GUri takes nearly anything between the slashes.
bool is_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return c > ' ' && c != 127 &&
           std::string_view("\"<>\\^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

/// Lets go of an object from the loop: libsoup does not expect to lose a connection in the middle
/// of a signal.
void unref_soon(GMainContext* context, gpointer object) {
  GSource* source = g_idle_source_new();
  g_source_set_callback(
      source, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, object, g_object_unref);
  g_source_attach(source, context);
  g_source_unref(source);
}

}  // namespace

class MailboxLink::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, MailboxLinkCallbacks callbacks, MailboxLinkConfig config)
      : context_(context),
        callbacks_(std::move(callbacks)),
        config_(config),
        timeout_(context, [this] { on_timeout(); }),
        deferred_(context, [this] { on_deferred(); }) {
    const ThreadDefault scope(context_);
    // No proxy: the tunnel itself could not use it. No time limits of its own: an idle link is
    // healthy.
    session_.reset(soup_session_new_with_options("timeout", 0, "idle-timeout", 0, "proxy-resolver",
                                                 nullptr, nullptr));
    if (config_.trusted != nullptr) {
      soup_session_set_tls_database(session_.get(), config_.trusted);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;
  ~Impl() = default;

  void open(const std::string& url);
  void send(const std::string& frame);
  void close();
  void shut_down();
  [[nodiscard]] bool is_up() const { return websocket_ != nullptr; }

 private:
  /// What an asynchronous answer of libsoup belongs to.
  struct Ticket {
    std::weak_ptr<Impl> link;
    std::uint64_t attempt = 0;
  };

  static void on_connected(GObject* session, GAsyncResult* result, gpointer data) noexcept;
  static void on_headers(SoupMessage* message, gpointer data) noexcept;
  static void on_network_event(SoupMessage* message, GSocketClientEvent event,
                               GIOStream* connection, gpointer data) noexcept;
  static gboolean on_certificate(SoupMessage* message, GTlsCertificate* certificate,
                                 GTlsCertificateFlags faults, gpointer data) noexcept;
  static void on_message(SoupWebsocketConnection* websocket, gint type, GBytes* octets,
                         gpointer data) noexcept;
  static void on_error(SoupWebsocketConnection* websocket, GError* error, gpointer data) noexcept;
  static void on_closing(SoupWebsocketConnection* websocket, gpointer data) noexcept;
  static void on_closed(SoupWebsocketConnection* websocket, gpointer data) noexcept;
  static gboolean on_readable(GSocket* socket, GIOCondition condition, gpointer data) noexcept;

  void on_timeout();
  void on_deferred();
  void attach(GObjectPtr<SoupWebsocketConnection> opened, GObjectPtr<GSocket> socket);
  [[nodiscard]] GObjectPtr<SoupWebsocketConnection> detach();
  /// Forgets the attempt; what is returned would cancel it.
  GObjectPtr<GCancellable> end_attempt();
  void abandon_attempt();
  void let_close(GObjectPtr<SoupWebsocketConnection> websocket);
  void dispose(GObjectPtr<SoupWebsocketConnection> websocket);
  void lose_attempt(const std::string& reason);
  void lose_link(const std::string& reason);

  GMainContext* context_;
  MailboxLinkCallbacks callbacks_;
  MailboxLinkConfig config_;
  Wakeup timeout_;
  Wakeup deferred_;
  GObjectPtr<SoupSession> session_;

  // The attempt in progress.
  std::uint64_t attempt_ = 0;  ///< counts; an answer to another one is ignored
  GObjectPtr<SoupMessage> message_;
  GObjectPtr<GCancellable> cancellable_;
  std::string authority_;
  LinkPhase phase_ = LinkPhase::kResolving;
  GTlsCertificateFlags certificate_faults_ = G_TLS_CERTIFICATE_NO_FLAGS;
  std::optional<std::string> deferred_reason_;

  // The open link.
  GObjectPtr<SoupWebsocketConnection> websocket_;
  GObjectPtr<GSocket> socket_;
  SourcePtr readable_;
  std::uint64_t octets_before_message_ = 0;

  // A link that we closed, until the server's answer.
  GObjectPtr<SoupWebsocketConnection> closing_;
};

// --- connecting

void MailboxLink::Impl::open(const std::string& url) {
  close();
  const std::unique_ptr<GUri, decltype(&g_uri_unref)> uri(
      g_uri_parse(url.c_str(), static_cast<GUriFlags>(kUriFlags), nullptr), g_uri_unref);
  const std::string_view scheme = uri ? g_uri_get_scheme(uri.get()) : "";
  const char* host = uri ? g_uri_get_host(uri.get()) : nullptr;
  if ((scheme != "ws" && scheme != "wss") || host == nullptr || !is_host(host)) {
    deferred_reason_ = not_a_url(url);
    deferred_.soon();
    return;
  }
  authority_ = authority_of(uri.get());
  phase_ = LinkPhase::kResolving;
  certificate_faults_ = G_TLS_CERTIFICATE_NO_FLAGS;
  message_.reset(soup_message_new_from_uri("GET", uri.get()));
  soup_message_add_flags(message_.get(), SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect(message_.get(), "got-headers", G_CALLBACK(on_headers), this);
  g_signal_connect(message_.get(), "network-event", G_CALLBACK(on_network_event), this);
  g_signal_connect(message_.get(), "accept-certificate", G_CALLBACK(on_certificate), this);
  cancellable_.reset(g_cancellable_new());
  timeout_.after(config_.connect_timeout);
  const ThreadDefault scope(context_);
  soup_session_websocket_connect_async(session_.get(), message_.get(), nullptr, nullptr,
                                       G_PRIORITY_DEFAULT, cancellable_.get(), on_connected,
                                       new Ticket{weak_from_this(), attempt_});
}

void MailboxLink::Impl::on_connected(GObject* session, GAsyncResult* result,
                                     gpointer data) noexcept {
  const std::unique_ptr<Ticket> ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  GObjectPtr<SoupWebsocketConnection> websocket(
      soup_session_websocket_connect_finish(SOUP_SESSION(session), result, &raw));
  const ErrorPtr error(raw);
  const auto self = ticket->link.lock();
  if (!self || self->attempt_ != ticket->attempt) return;
  if (websocket) {
    auto socket = std::move(self->socket_);
    self->end_attempt();
    self->attach(std::move(websocket), std::move(socket));
    if (self->callbacks_.on_up) self->callbacks_.on_up();
  } else {
    const auto reason = connect_reason(*error, self->authority_, self->certificate_faults_);
    self->end_attempt();
    if (self->callbacks_.on_lost) self->callbacks_.on_lost(reason);
  }
}

// Any complete answer is a refusal: the good one is informational.
void MailboxLink::Impl::on_headers(SoupMessage* message, gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  self->lose_attempt(http_reason(soup_message_get_status(message), self->authority_));
}

void MailboxLink::Impl::on_network_event(SoupMessage* /*message*/, GSocketClientEvent event,
                                         GIOStream* connection, gpointer data) noexcept {
  auto* self = static_cast<Impl*>(data);
  if (event == G_SOCKET_CLIENT_CONNECTING) self->phase_ = LinkPhase::kConnecting;
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING) self->phase_ = LinkPhase::kSecuring;
  if (event == G_SOCKET_CLIENT_COMPLETE) self->phase_ = LinkPhase::kUpgrading;
  if (event != G_SOCKET_CLIENT_CONNECTED || !G_IS_SOCKET_CONNECTION(connection)) return;
  self->socket_ = share(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)));
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(self->config_.max_unacknowledged);
  g_socket_set_option(self->socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT,
                      static_cast<gint>(limit.count()), nullptr);
}

gboolean MailboxLink::Impl::on_certificate(SoupMessage* /*message*/,
                                           GTlsCertificate* /*certificate*/,
                                           GTlsCertificateFlags faults, gpointer data) noexcept {
  static_cast<Impl*>(data)->certificate_faults_ = faults;
  return FALSE;
}

void MailboxLink::Impl::on_timeout() {
  const auto self = shared_from_this();
  lose_attempt(timeout_reason(phase_, authority_, config_.connect_timeout));
}

void MailboxLink::Impl::on_deferred() {
  const auto self = shared_from_this();
  if (!deferred_reason_) return;
  const std::string reason = *std::exchange(deferred_reason_, std::nullopt);
  if (callbacks_.on_lost) callbacks_.on_lost(reason);
}

GObjectPtr<GCancellable> MailboxLink::Impl::end_attempt() {
  ++attempt_;
  timeout_.cancel();
  deferred_.cancel();
  deferred_reason_.reset();
  socket_.reset();
  if (message_) {
    g_signal_handlers_disconnect_by_data(message_.get(), this);
    unref_soon(context_, message_.release());
  }
  return std::move(cancellable_);
}

void MailboxLink::Impl::abandon_attempt() {
  const auto cancellable = end_attempt();
  const ThreadDefault scope(context_);
  if (cancellable) g_cancellable_cancel(cancellable.get());
}

void MailboxLink::Impl::lose_attempt(const std::string& reason) {
  abandon_attempt();
  if (callbacks_.on_lost) callbacks_.on_lost(reason);
}

// --- the open link

void MailboxLink::Impl::attach(GObjectPtr<SoupWebsocketConnection> opened,
                               GObjectPtr<GSocket> socket) {
  websocket_ = std::move(opened);
  socket_ = std::move(socket);
  SoupWebsocketConnection* websocket = websocket_.get();
  const ThreadDefault scope(context_);
  soup_websocket_connection_set_max_incoming_payload_size(websocket, config_.max_message);
  soup_websocket_connection_set_keepalive_interval(
      websocket, static_cast<guint>(
                     std::chrono::duration_cast<std::chrono::seconds>(config_.ping_every).count()));
  g_signal_connect(websocket, "message", G_CALLBACK(on_message), this);
  g_signal_connect(websocket, "error", G_CALLBACK(on_error), this);
  g_signal_connect(websocket, "closing", G_CALLBACK(on_closing), this);
  g_signal_connect(websocket, "closed", G_CALLBACK(on_closed), this);
  const auto octets = socket_ ? octets_read(g_socket_get_fd(socket_.get())) : std::nullopt;
  if (!octets) return;
  octets_before_message_ = *octets;
  readable_.reset(g_socket_create_source(socket_.get(), G_IO_IN, nullptr));
  // GSource takes every callback as a GSourceFunc, and a socket source calls it as what it is.
  g_source_set_callback(readable_.get(), G_SOURCE_FUNC(on_readable), this, nullptr);
  g_source_attach(readable_.get(), context_);
}

GObjectPtr<SoupWebsocketConnection> MailboxLink::Impl::detach() {
  readable_.reset();
  socket_.reset();
  if (websocket_) g_signal_handlers_disconnect_by_data(websocket_.get(), this);
  return std::move(websocket_);
}

void MailboxLink::Impl::on_message(SoupWebsocketConnection* /*websocket*/, gint /*type*/,
                                   GBytes* octets, gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  if (self->readable_) {
    self->octets_before_message_ = octets_read(g_socket_get_fd(self->socket_.get())).value_or(0);
  }
  gsize size = 0;
  const auto* text = static_cast<const char*>(g_bytes_get_data(octets, &size));
  if (self->callbacks_.on_frame) {
    self->callbacks_.on_frame(size == 0 ? std::string() : std::string(text, size));
  }
}

// libsoup bounds a frame, but not a message of endlessly many frames.
gboolean MailboxLink::Impl::on_readable(GSocket* socket, GIOCondition /*condition*/,
                                        gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  const auto octets = octets_read(g_socket_get_fd(socket));
  if (!octets ||
      *octets <= self->octets_before_message_ + self->config_.max_message + kMaxFraming) {
    return G_SOURCE_CONTINUE;
  }
  self->dispose(self->detach());
  if (self->callbacks_.on_lost) {
    self->callbacks_.on_lost("the server sent a message that is too long");
  }
  return G_SOURCE_REMOVE;
}

void MailboxLink::Impl::on_error(SoupWebsocketConnection* /*websocket*/, GError* error,
                                 gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  self->lose_link(broken_reason(*error));
}

// The server starts to close: nothing more will come, so nothing is gained by waiting.
void MailboxLink::Impl::on_closing(SoupWebsocketConnection* websocket, gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  self->lose_link(closed_reason(soup_websocket_connection_get_close_code(websocket)));
}

void MailboxLink::Impl::on_closed(SoupWebsocketConnection* websocket, gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  self->lose_link(closed_reason(soup_websocket_connection_get_close_code(websocket)));
}

void MailboxLink::Impl::lose_link(const std::string& reason) {
  auto websocket = detach();
  if (!websocket) return;
  // libsoup is in the middle of closing: it gets the time to finish.
  dispose(std::move(closing_));
  closing_ = std::move(websocket);
  if (callbacks_.on_lost) callbacks_.on_lost(reason);
}

void MailboxLink::Impl::send(const std::string& frame) {
  if (!websocket_ ||
      soup_websocket_connection_get_state(websocket_.get()) != SOUP_WEBSOCKET_STATE_OPEN) {
    return;
  }
  const ThreadDefault scope(context_);
  soup_websocket_connection_send_text(websocket_.get(), frame.c_str());
}

// --- closing

void MailboxLink::Impl::close() {
  abandon_attempt();
  if (auto websocket = detach()) let_close(std::move(websocket));
}

void MailboxLink::Impl::let_close(GObjectPtr<SoupWebsocketConnection> websocket) {
  const ThreadDefault scope(context_);
  dispose(std::move(closing_));
  if (soup_websocket_connection_get_state(websocket.get()) == SOUP_WEBSOCKET_STATE_OPEN) {
    soup_websocket_connection_close(websocket.get(), SOUP_WEBSOCKET_CLOSE_NORMAL, nullptr);
  }
  closing_ = std::move(websocket);
}

void MailboxLink::Impl::dispose(GObjectPtr<SoupWebsocketConnection> websocket) {
  if (websocket) unref_soon(context_, websocket.release());
}

void MailboxLink::Impl::shut_down() {
  close();
  dispose(std::move(closing_));
}

MailboxLink::MailboxLink(GMainContext* context, MailboxLinkCallbacks callbacks,
                         MailboxLinkConfig config)
    : impl_(std::make_shared<Impl>(context, std::move(callbacks), config)) {}
MailboxLink::~MailboxLink() {
  impl_->shut_down();
}

void MailboxLink::open(const std::string& url) {
  impl_->open(url);
}
void MailboxLink::send(const std::string& frame) {
  impl_->send(frame);
}
void MailboxLink::close() {
  impl_->close();
}
bool MailboxLink::is_up() const {
  return impl_->is_up();
}

}  // namespace peersock::adapters
