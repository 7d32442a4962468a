#include "adapters/websocket_dial.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "adapters/entropy.hpp"
#include "adapters/websocket_handshake.hpp"

namespace peersock::adapters {
namespace {

/// Octets of the server's answer to the handshake.
constexpr std::size_t kMaxHead = std::size_t{16} * 1024;

/// Octets of a TCP segment that fits the least MTU of IPv6, 1280 (RFC 8200 section 5).
constexpr gint kSegment = 1220;

std::string base64(ByteView octets) {
  const GCharPtr text(g_base64_encode(octets.data(), octets.size()));
  return text.get();
}

bool is_secure(GUri* uri) {
  return std::string_view(g_uri_get_scheme(uri)) == "wss";
}

int usual_port(GUri* uri) {
  return is_secure(uri) ? 443 : 80;
}

/// The Host field (RFC 9110 section 7.2): the port only when it is not the scheme's own.
std::string host_field(GUri* uri) {
  const GCharPtr ascii(g_hostname_to_ascii(g_uri_get_host(uri)));
  const std::string host = ascii ? ascii.get() : g_uri_get_host(uri);
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const int port = g_uri_get_port(uri);
  return port < 0 || port == usual_port(uri) ? name : fmt::format("{}:{}", name, port);
}

std::string request_for(GUri* uri, const std::string& key) {
  const std::string path = g_uri_get_path(uri);
  const char* query = g_uri_get_query(uri);
  return fmt::format(
      "GET {}{}{} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n\r\n",
      path.empty() ? "/" : path, query != nullptr ? "?" : "", query != nullptr ? query : "",
      host_field(uri), key);
}

/// What is wrong with the server's answer; nothing when it has agreed (RFC 6455 section 4.2.2).
std::string handshake_fault(const std::string& head, const std::string& key,
                            const std::string& authority) {
  const HeadersPtr headers(soup_message_headers_new(SOUP_MESSAGE_HEADERS_RESPONSE));
  guint status = 0;
  // The empty line at the end is no part of what it takes.
  const auto size = static_cast<int>(head.size() - 2);
  if (head.find('\0') != std::string::npos ||
      soup_headers_parse_response(head.c_str(), size, headers.get(), nullptr, &status, nullptr) ==
          0) {
    return not_http_reason(authority);
  }
  if (status != SOUP_STATUS_SWITCHING_PROTOCOLS) return http_reason(status, authority);
  const char* accepted = soup_message_headers_get_one(headers.get(), "Sec-WebSocket-Accept");
  // No extension and no protocol was offered, so none can have been agreed on.
  const bool agreed =
      has_token(headers.get(), "Upgrade", "websocket") &&
      has_token(headers.get(), "Connection", "Upgrade") && accepted != nullptr &&
      accepted == websocket_accept_of(key) &&
      soup_message_headers_get_list(headers.get(), "Sec-WebSocket-Extensions") == nullptr &&
      soup_message_headers_get_list(headers.get(), "Sec-WebSocket-Protocol") == nullptr;
  return agreed ? std::string() : no_websocket_reason(authority);
}

}  // namespace

bool fits_request_line(const char* text) {
  const std::string_view octets(text != nullptr ? text : "");
  return std::ranges::all_of(octets, [](char c) { return c > ' ' && c < 0x7f; });
}

class WebsocketDial::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, WebsocketDialConfig config, WebsocketDialCallbacks callbacks)
      : context_(context), config_(config), callbacks_(std::move(callbacks)) {
    SystemRng rng;
    key_ = base64(random_bytes(rng, kWebSocketKeySize));
  }

  void start(GUri* uri);
  void give_up();
  [[nodiscard]] LinkPhase phase() const { return phase_; }

 private:
  /// What an asynchronous call works on, and whom its answer belongs to. It outlives an attempt
  /// that was given up in the middle of the call.
  struct Ticket {
    std::weak_ptr<Impl> dial;
    std::string request;
    std::uint8_t octet = 0;
  };
  using TicketPtr = std::unique_ptr<Ticket>;

  static void on_event(GSocketClient* client, GSocketClientEvent event,
                       GSocketConnectable* connectable, GIOStream* connection,
                       gpointer data) noexcept;
  static gboolean on_certificate(GTlsConnection* connection, GTlsCertificate* certificate,
                                 GTlsCertificateFlags faults, gpointer data) noexcept;
  static void on_connected(GObject* client, GAsyncResult* result, gpointer data) noexcept;
  static void on_written(GObject* output, GAsyncResult* result, gpointer data) noexcept;
  static void on_octet(GObject* input, GAsyncResult* result, gpointer data) noexcept;

  void prepare(GSocket* socket) const;
  void secure(GTlsConnection* connection);
  void ask(TicketPtr ticket);
  void wait_for_octet(TicketPtr ticket);
  void take_octets(TicketPtr ticket);
  void judge();
  void ended();
  void fail(const std::string& reason);
  void fail(const GError& error) { fail(connect_reason(error, authority_, certificate_faults_)); }

  GMainContext* context_;
  WebsocketDialConfig config_;
  WebsocketDialCallbacks callbacks_;
  std::string key_;
  std::string authority_;
  std::string request_;
  std::string head_;  ///< of the server's answer, as far as it has come
  LinkPhase phase_ = LinkPhase::kResolving;
  GTlsCertificateFlags certificate_faults_ = G_TLS_CERTIFICATE_NO_FLAGS;
  GObjectPtr<GSocketClient> client_;
  GObjectPtr<GTlsConnection> tls_;
  GObjectPtr<GCancellable> cancellable_;
  GObjectPtr<GIOStream> stream_;
};

// --- connecting

void WebsocketDial::Impl::start(GUri* uri) {
  authority_ = authority_of(uri);
  request_ = request_for(uri, key_);
  const int port = g_uri_get_port(uri);
  const GObjectPtr<GSocketConnectable> address(g_network_address_new(
      g_uri_get_host(uri), static_cast<guint16>(port < 0 ? usual_port(uri) : port)));
  client_.reset(g_socket_client_new());
  // No proxy: the tunnel itself could not use it.
  g_socket_client_set_enable_proxy(client_.get(), FALSE);
  g_socket_client_set_tls(client_.get(), is_secure(uri) ? TRUE : FALSE);
  g_signal_connect(client_.get(), "event", G_CALLBACK(on_event), this);
  cancellable_.reset(g_cancellable_new());
  const ThreadDefault scope(context_);
  g_socket_client_connect_async(client_.get(), address.get(), cancellable_.get(), on_connected,
                                new Ticket{weak_from_this(), request_, 0});
}

void WebsocketDial::Impl::on_event(GSocketClient* /*client*/, GSocketClientEvent event,
                                   GSocketConnectable* /*connectable*/, GIOStream* connection,
                                   gpointer data) noexcept {
  auto* self = static_cast<Impl*>(data);
  if (event == G_SOCKET_CLIENT_CONNECTING) self->phase_ = LinkPhase::kConnecting;
  // Before the handshake of TCP, which tells the server how long a segment may be.
  if (event == G_SOCKET_CLIENT_CONNECTING && G_IS_SOCKET_CONNECTION(connection)) {
    self->prepare(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)));
  }
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING) self->secure(G_TLS_CONNECTION(connection));
  if (event == G_SOCKET_CLIENT_COMPLETE) self->phase_ = LinkPhase::kUpgrading;
}

void WebsocketDial::Impl::prepare(GSocket* socket) const {
  // Where packets that are too long vanish without a word, only short ones arrive; it limits what
  // the server sends as well, and frames are few.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_MAXSEG, kSegment, nullptr);
  // Several short frames leave in one flight.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  const auto limit =
      std::chrono::duration_cast<std::chrono::milliseconds>(config_.max_unacknowledged);
  g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<gint>(limit.count()),
                      nullptr);
}

void WebsocketDial::Impl::secure(GTlsConnection* connection) {
  phase_ = LinkPhase::kSecuring;
  if (config_.trusted != nullptr) g_tls_connection_set_database(connection, config_.trusted);
  tls_ = share(connection);
  g_signal_connect(connection, "accept-certificate", G_CALLBACK(on_certificate), this);
}

gboolean WebsocketDial::Impl::on_certificate(GTlsConnection* /*connection*/,
                                             GTlsCertificate* /*certificate*/,
                                             GTlsCertificateFlags faults, gpointer data) noexcept {
  static_cast<Impl*>(data)->certificate_faults_ = faults;
  return FALSE;
}

void WebsocketDial::Impl::on_connected(GObject* client, GAsyncResult* result,
                                       gpointer data) noexcept {
  TicketPtr ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  GObjectPtr<GSocketConnection> connection(
      g_socket_client_connect_finish(G_SOCKET_CLIENT(client), result, &raw));
  const ErrorPtr error(raw);
  const auto self = ticket->dial.lock();
  if (!self || !self->client_) return;
  if (!connection) return self->fail(*error);
  self->stream_.reset(G_IO_STREAM(connection.release()));
  self->ask(std::move(ticket));
}

// --- the handshake

void WebsocketDial::Impl::ask(TicketPtr ticket) {
  GOutputStream* output = g_io_stream_get_output_stream(stream_.get());
  Ticket* held = ticket.release();
  const ThreadDefault scope(context_);
  g_output_stream_write_all_async(output, held->request.data(), held->request.size(),
                                  G_PRIORITY_DEFAULT, cancellable_.get(), on_written, held);
}

void WebsocketDial::Impl::on_written(GObject* output, GAsyncResult* result,
                                     gpointer data) noexcept {
  TicketPtr ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  const bool written =
      g_output_stream_write_all_finish(G_OUTPUT_STREAM(output), result, nullptr, &raw) != 0;
  const ErrorPtr error(raw);
  const auto self = ticket->dial.lock();
  if (!self || !self->client_) return;
  if (!written) return self->fail(*error);
  self->wait_for_octet(std::move(ticket));
}

// One octet at a time, so that what follows the answer stays in the stream.
void WebsocketDial::Impl::wait_for_octet(TicketPtr ticket) {
  GInputStream* input = g_io_stream_get_input_stream(stream_.get());
  Ticket* held = ticket.release();
  const ThreadDefault scope(context_);
  g_input_stream_read_async(input, &held->octet, 1, G_PRIORITY_DEFAULT, cancellable_.get(),
                            on_octet, held);
}

void WebsocketDial::Impl::on_octet(GObject* input, GAsyncResult* result, gpointer data) noexcept {
  TicketPtr ticket(static_cast<Ticket*>(data));
  GError* raw = nullptr;
  const gssize got = g_input_stream_read_finish(G_INPUT_STREAM(input), result, &raw);
  const ErrorPtr error(raw);
  const auto self = ticket->dial.lock();
  if (!self || !self->client_) return;
  if (got < 0) return self->fail(*error);
  if (got == 0) return self->ended();
  self->take_octets(std::move(ticket));
}

// The one that has come, and those that are there with it.
void WebsocketDial::Impl::take_octets(TicketPtr ticket) {
  auto* input = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream_.get()));
  gssize got = 1;
  ErrorPtr error;
  while (got == 1) {
    head_.push_back(static_cast<char>(ticket->octet));
    if (head_.ends_with(kHttpHeadEnd)) return judge();
    if (head_.size() >= kMaxHead) return fail(not_http_reason(authority_));
    GError* raw = nullptr;
    got = g_pollable_input_stream_read_nonblocking(input, &ticket->octet, 1, cancellable_.get(),
                                                   &raw);
    error.reset(raw);
  }
  if (got == 0) return ended();
  if (!g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return fail(*error);
  wait_for_octet(std::move(ticket));
}

void WebsocketDial::Impl::ended() {
  fail(head_.empty() ? hung_up_reason(authority_) : not_http_reason(authority_));
}

void WebsocketDial::Impl::judge() {
  const std::string fault = handshake_fault(head_, key_, authority_);
  if (!fault.empty()) return fail(fault);
  auto stream = std::move(stream_);
  give_up();
  if (callbacks_.on_open) callbacks_.on_open(std::move(stream));
}

// --- the end

void WebsocketDial::Impl::fail(const std::string& reason) {
  give_up();
  if (callbacks_.on_failed) callbacks_.on_failed(reason);
}

void WebsocketDial::Impl::give_up() {
  const ThreadDefault scope(context_);
  if (client_) g_signal_handlers_disconnect_by_data(client_.get(), this);
  client_.reset();
  if (tls_) g_signal_handlers_disconnect_by_data(tls_.get(), this);
  tls_.reset();
  if (cancellable_) g_cancellable_cancel(cancellable_.get());
  cancellable_.reset();
  stream_.reset();
}

WebsocketDial::WebsocketDial(GMainContext* context, WebsocketDialConfig config,
                             WebsocketDialCallbacks callbacks)
    : impl_(std::make_shared<Impl>(context, config, std::move(callbacks))) {}
WebsocketDial::~WebsocketDial() {
  impl_->give_up();
}

void WebsocketDial::start(GUri* uri) {
  impl_->start(uri);
}
LinkPhase WebsocketDial::phase() const {
  return impl_->phase();
}

}  // namespace peersock::adapters
