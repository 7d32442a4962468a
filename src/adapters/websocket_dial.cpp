#include "adapters/websocket_dial.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <libsoup/soup.h>

#include "adapters/entropy.hpp"
#include "adapters/head_exchange.hpp"
#include "adapters/mailbox_link_reason.hpp"
#include "adapters/websocket_handshake.hpp"

namespace peersock::adapters {
namespace {

/// Octets of the server's answer to the handshake.
constexpr std::size_t kMaxHead = std::size_t{16} * 1024;

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

StreamTarget stream_target(GUri* uri, const wire::ProxyRules& proxies) {
  StreamTarget target;
  target.host = g_uri_get_host(uri);
  const int port = g_uri_get_port(uri);
  target.port = static_cast<std::uint16_t>(port < 0 ? usual_port(uri) : port);
  target.tls = is_secure(uri);
  target.proxy = proxies.choose(target.host, target.tls);
  target.without_tls = "try ws://";
  return target;
}

bool fits_request_line(const char* text) {
  const std::string_view octets(text != nullptr ? text : "");
  return std::ranges::all_of(octets, [](char c) { return c > ' ' && c < 0x7f; });
}

class WebsocketDial::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(GMainContext* context, WebsocketDialConfig config, WebsocketDialCallbacks callbacks)
      : context_(context), config_(std::move(config)), callbacks_(std::move(callbacks)) {
    SystemRng rng;
    key_ = base64(random_bytes(rng, kWebSocketKeySize));
  }

  void start(GUri* uri);
  void give_up();
  [[nodiscard]] std::string timeout_reason(Duration after) const {
    return dial_->timeout_reason(after);
  }

 private:
  void ask(GObjectPtr<GIOStream> stream);
  void judge(const HeadOutcome& outcome);
  void fail(const std::string& reason);

  GMainContext* context_;
  WebsocketDialConfig config_;
  WebsocketDialCallbacks callbacks_;
  std::string key_;
  std::string authority_;
  std::string request_;
  std::optional<StreamDial> dial_;
  GObjectPtr<GIOStream> stream_;
  std::optional<HeadExchange> exchange_;
};

void WebsocketDial::Impl::start(GUri* uri) {
  authority_ = authority_of(uri);
  request_ = request_for(uri, key_);
  dial_.emplace(context_, stream_target(uri, config_.proxies), config_.stream,
                StreamDialCallbacks{
                    [this](GObjectPtr<GIOStream> stream) { ask(std::move(stream)); },
                    [this](const std::string& reason) { fail(reason); },
                });
  dial_->start();
}

void WebsocketDial::Impl::ask(GObjectPtr<GIOStream> stream) {
  stream_ = std::move(stream);
  exchange_.emplace(context_, stream_.get(), Secret(std::string_view(request_)), kMaxHead,
                    [this](const HeadOutcome& outcome) { judge(outcome); });
}

void WebsocketDial::Impl::judge(const HeadOutcome& outcome) {
  switch (outcome.kind) {
    case HeadOutcome::Kind::kBroken:
      return fail(connect_reason(*outcome.error, authority_));
    case HeadOutcome::Kind::kTooLong:
      return fail(not_http_reason(authority_));
    case HeadOutcome::Kind::kEnded:
      return fail(outcome.head.empty() ? hung_up_reason(authority_) : not_http_reason(authority_));
    case HeadOutcome::Kind::kComplete:
      break;
  }
  const std::string fault = handshake_fault(outcome.head, key_, authority_);
  if (!fault.empty()) return fail(fault);
  const auto self = shared_from_this();
  auto stream = std::move(stream_);
  give_up();
  if (callbacks_.on_open) callbacks_.on_open(std::move(stream));
}

void WebsocketDial::Impl::fail(const std::string& reason) {
  const auto self = shared_from_this();
  give_up();
  if (callbacks_.on_failed) callbacks_.on_failed(reason);
}

void WebsocketDial::Impl::give_up() {
  exchange_.reset();
  dial_.reset();
  const ThreadDefault scope(context_);
  stream_.reset();
}

WebsocketDial::WebsocketDial(GMainContext* context, WebsocketDialConfig config,
                             WebsocketDialCallbacks callbacks)
    : impl_(std::make_shared<Impl>(context, std::move(config), std::move(callbacks))) {}
WebsocketDial::~WebsocketDial() {
  impl_->give_up();
}

void WebsocketDial::start(GUri* uri) {
  impl_->start(uri);
}
std::string WebsocketDial::timeout_reason(Duration after) const {
  return impl_->timeout_reason(after);
}

}  // namespace peersock::adapters
