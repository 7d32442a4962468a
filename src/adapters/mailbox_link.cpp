#include "adapters/mailbox_link.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <libsoup/soup.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/mailbox_link_reason.hpp"
#include "adapters/metered_stream.hpp"
#include "adapters/wakeup.hpp"
#include "adapters/websocket_dial.hpp"

namespace peersock::adapters {
namespace {

/// Framing, pings and TLS records beside one message.
constexpr std::uint64_t kMaxFraming = std::uint64_t{256} * 1024;

/// libsoup waits for 5 s until the server closes the connection, and leaks its timer when the 5 s
/// are over (3.2 to 3.6, close_timeout of a WebSocket). So it is never waited for so long.
constexpr std::chrono::seconds kLongestClosing{4};

/// SOUP_HTTP_URI_FLAGS, whose macro is C alone.
constexpr unsigned kUriFlags = G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH |
                               G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_FRAGMENT |
                               G_URI_FLAGS_SCHEME_NORMALIZE;

struct UriUnref {
  void operator()(GUri* uri) const { g_uri_unref(uri); }
};
using UriPtr = std::unique_ptr<GUri, UriUnref>;

/// GUri takes nearly anything between the slashes.
bool is_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return c > ' ' && c != 127 &&
           std::string_view("\"<>\\^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

/// Whether there is a server to connect to, and a path that can be asked for.
bool is_address(GUri* uri) {
  const std::string_view scheme = g_uri_get_scheme(uri);
  const char* host = g_uri_get_host(uri);
  return (scheme == "ws" || scheme == "wss") && host != nullptr && is_host(host) &&
         fits_request_line(g_uri_get_path(uri)) && fits_request_line(g_uri_get_query(uri));
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

/// Null when there is no server to connect to.
UriPtr parse_url(const std::string& url) {
  UriPtr uri(g_uri_parse(url.c_str(), static_cast<GUriFlags>(kUriFlags), nullptr));
  return uri && is_address(uri.get()) ? std::move(uri) : nullptr;
}

}  // namespace

std::optional<StreamTarget> stream_target_of(const std::string& url,
                                             const wire::ProxyRules& proxies) {
  const UriPtr uri = parse_url(url);
  if (!uri) return std::nullopt;
  return stream_target(uri.get(), proxies);
}

class MailboxLink::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, MailboxLinkCallbacks callbacks, MailboxLinkConfig config)
      : context_(context),
        callbacks_(std::move(callbacks)),
        config_(std::move(config)),
        timeout_(context, [this] { on_timeout(); }),
        deferred_(context, [this] { on_deferred(); }),
        closing_timeout_(context, [this] { dispose(std::move(closing_)); }) {}
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
  static void on_message(SoupWebsocketConnection* websocket, gint type, GBytes* octets,
                         gpointer data) noexcept;
  static void on_error(SoupWebsocketConnection* websocket, GError* error, gpointer data) noexcept;
  static void on_closing(SoupWebsocketConnection* websocket, gpointer data) noexcept;
  static void on_closed(SoupWebsocketConnection* websocket, gpointer data) noexcept;

  void on_timeout();
  void on_deferred();
  void opened(GObjectPtr<GIOStream> stream);
  void attach(GIOStream* stream);
  void expect_message();
  [[nodiscard]] GObjectPtr<SoupWebsocketConnection> detach();
  void end_attempt();
  void let_close(GObjectPtr<SoupWebsocketConnection> websocket);
  void await_closing(GObjectPtr<SoupWebsocketConnection> websocket);
  void dispose(GObjectPtr<SoupWebsocketConnection> websocket);
  void lose_attempt(const std::string& reason);
  void lose_link(const std::string& reason);

  GMainContext* context_;
  MailboxLinkCallbacks callbacks_;
  MailboxLinkConfig config_;
  Wakeup timeout_;
  Wakeup deferred_;

  // The attempt in progress.
  std::unique_ptr<WebsocketDial> dial_;
  UriPtr uri_;
  std::optional<std::string> deferred_reason_;

  // The open link.
  GObjectPtr<SoupWebsocketConnection> websocket_;
  std::shared_ptr<Meter> meter_;

  // A link that we closed, until the server's answer.
  GObjectPtr<SoupWebsocketConnection> closing_;
  Wakeup closing_timeout_;
};

// --- connecting

void MailboxLink::Impl::open(const std::string& url) {
  close();
  uri_ = parse_url(url);
  if (!uri_) {
    deferred_reason_ = not_a_url(url);
    deferred_.soon();
    return;
  }
  timeout_.after(config_.connect_timeout);
  dial_ = std::make_unique<WebsocketDial>(
      context_, WebsocketDialConfig{{config_.trusted, config_.max_unacknowledged}, config_.proxies},
      WebsocketDialCallbacks{
          [this](GObjectPtr<GIOStream> stream) { opened(std::move(stream)); },
          [this](const std::string& reason) { lose_attempt(reason); },
      });
  dial_->start(uri_.get());
}

void MailboxLink::Impl::opened(GObjectPtr<GIOStream> stream) {
  const auto self = shared_from_this();
  end_attempt();
  attach(stream.get());
  if (callbacks_.on_up) callbacks_.on_up();
}

void MailboxLink::Impl::on_timeout() {
  const auto self = shared_from_this();
  lose_attempt(dial_->timeout_reason(config_.connect_timeout));
}

void MailboxLink::Impl::on_deferred() {
  const auto self = shared_from_this();
  if (!deferred_reason_) return;
  const std::string reason = *std::exchange(deferred_reason_, std::nullopt);
  if (callbacks_.on_lost) callbacks_.on_lost(reason);
}

void MailboxLink::Impl::end_attempt() {
  timeout_.cancel();
  deferred_.cancel();
  deferred_reason_.reset();
  dial_.reset();
}

void MailboxLink::Impl::lose_attempt(const std::string& reason) {
  const auto self = shared_from_this();
  end_attempt();
  if (callbacks_.on_lost) callbacks_.on_lost(reason);
}

// --- the open link

void MailboxLink::Impl::attach(GIOStream* stream) {
  meter_ = std::make_shared<Meter>();
  expect_message();
  const auto metered = make_metered_stream(stream, meter_);
  const ThreadDefault scope(context_);
  websocket_.reset(soup_websocket_connection_new(
      metered.get(), uri_.get(), SOUP_WEBSOCKET_CONNECTION_CLIENT, nullptr, nullptr, nullptr));
  SoupWebsocketConnection* websocket = websocket_.get();
  soup_websocket_connection_set_max_incoming_payload_size(websocket, config_.max_message);
  soup_websocket_connection_set_keepalive_interval(
      websocket, static_cast<guint>(
                     std::chrono::duration_cast<std::chrono::seconds>(config_.ping_every).count()));
  g_signal_connect(websocket, "message", G_CALLBACK(on_message), this);
  g_signal_connect(websocket, "error", G_CALLBACK(on_error), this);
  g_signal_connect(websocket, "closing", G_CALLBACK(on_closing), this);
  g_signal_connect(websocket, "closed", G_CALLBACK(on_closed), this);
}

// libsoup bounds a frame, but not a message of endlessly many frames.
void MailboxLink::Impl::expect_message() {
  meter_->receive_limit = meter_->received + config_.max_message + kMaxFraming;
}

GObjectPtr<SoupWebsocketConnection> MailboxLink::Impl::detach() {
  if (websocket_) g_signal_handlers_disconnect_by_data(websocket_.get(), this);
  return std::move(websocket_);
}

void MailboxLink::Impl::on_message(SoupWebsocketConnection* /*websocket*/, gint /*type*/,
                                   GBytes* octets, gpointer data) noexcept {
  const auto self = static_cast<Impl*>(data)->shared_from_this();
  self->expect_message();
  gsize size = 0;
  const auto* text = static_cast<const char*>(g_bytes_get_data(octets, &size));
  if (self->callbacks_.on_frame) {
    self->callbacks_.on_frame(size == 0 ? std::string() : std::string(text, size));
  }
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
  await_closing(std::move(websocket));
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
  end_attempt();
  if (auto websocket = detach()) let_close(std::move(websocket));
}

void MailboxLink::Impl::let_close(GObjectPtr<SoupWebsocketConnection> websocket) {
  const ThreadDefault scope(context_);
  if (soup_websocket_connection_get_state(websocket.get()) == SOUP_WEBSOCKET_STATE_OPEN) {
    soup_websocket_connection_close(websocket.get(), SOUP_WEBSOCKET_CLOSE_NORMAL, nullptr);
  }
  await_closing(std::move(websocket));
}

void MailboxLink::Impl::await_closing(GObjectPtr<SoupWebsocketConnection> websocket) {
  dispose(std::exchange(closing_, std::move(websocket)));
  closing_timeout_.after(kLongestClosing);
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
    : impl_(std::make_shared<Impl>(context, std::move(callbacks), std::move(config))) {}
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
