#include "adapters/http_request.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <glib.h>

#include "adapters/glib_ptr.hpp"

namespace peersock::adapters {
namespace {

/// libsoup does not know it (RFC 9110 section 15.5.22).
constexpr unsigned kUpgradeRequired = 426;

struct DateTimeUnref {
  void operator()(GDateTime* time) const { g_date_time_unref(time); }
};

bool is_key(const std::string& text) {
  if (text.size() != 4 * ((kWebSocketKeySize + 2) / 3)) return false;
  gsize size = 0;
  const std::unique_ptr<guchar, GFree> decoded(g_base64_decode(text.c_str(), &size));
  return size == kWebSocketKeySize;
}

std::string_view reason_of(unsigned status) {
  return status == kUpgradeRequired ? "Upgrade Required" : soup_status_get_phrase(status);
}

std::string date_now() {
  const std::unique_ptr<GDateTime, DateTimeUnref> now(g_date_time_new_now_utc());
  const GCharPtr text(soup_date_time_to_string(now.get(), SOUP_DATE_HTTP));
  return text.get();
}

}  // namespace

std::optional<std::string> HttpRequest::field(const char* name) const {
  const char* value = soup_message_headers_get_list(headers.get(), name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<HttpRequest> parse_http_request(std::string_view head) {
  // libsoup does not want the empty line.
  const std::string text(head.substr(0, head.size() - std::string_view("\r\n").size()));
  HttpRequest request;
  request.headers.reset(soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST));
  char* method = nullptr;
  char* path = nullptr;
  SoupHTTPVersion version = SOUP_HTTP_1_0;
  const guint status = soup_headers_parse_request(text.c_str(), static_cast<int>(text.size()),
                                                  request.headers.get(), &method, &path, &version);
  const GCharPtr method_owner(method);
  const GCharPtr path_owner(path);
  if (status != SOUP_STATUS_OK || method == nullptr || path == nullptr) return std::nullopt;
  request.method = method;
  request.path = path;
  request.path.resize(std::min(request.path.size(), request.path.find('?')));
  return request;
}

std::string render_http_answer(const HttpAnswer& answer, std::string_view method) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n{}", answer.status,
                                 reason_of(answer.status), date_now(), answer.more_fields);
  if (is_upgrade(answer)) return text + "\r\n";
  if (!answer.body.empty()) text += fmt::format("Content-Type: {}\r\n", answer.type);
  text += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", answer.body.size());
  return method == "HEAD" ? text : text + answer.body;
}

HttpAnswer answer_websocket_handshake(const HttpRequest& request) {
  HttpAnswer answer;
  if (!has_token(request.headers.get(), "Upgrade", "websocket")) {
    answer.status = kUpgradeRequired;
    answer.more_fields = "Upgrade: websocket\r\n";
    return answer;
  }
  answer.status = SOUP_STATUS_BAD_REQUEST;
  answer.more_fields = "Sec-WebSocket-Version: 13\r\n";
  const auto key = request.field("Sec-WebSocket-Key");
  const auto version = request.field("Sec-WebSocket-Version");
  const bool connects = has_token(request.headers.get(), "Connection", "upgrade");
  if (request.method != "GET" || !connects || version != "13" || !key || !is_key(*key)) {
    return answer;
  }
  answer.status = SOUP_STATUS_SWITCHING_PROTOCOLS;
  answer.more_fields =
      fmt::format("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
                  websocket_accept_of(*key));
  return answer;
}

}  // namespace peersock::adapters
