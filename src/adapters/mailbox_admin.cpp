#include "adapters/mailbox_admin.hpp"

#include <string_view>
#include <utility>

namespace peersock::adapters {
namespace {

/// Scrapers and health checks are few; whoever else comes is kept from costing much.
MailboxServerConfig admin_limits() {
  MailboxServerConfig limits;
  limits.max_connections = 32;
  limits.max_connections_per_address = limits.max_connections;
  return limits;
}

void respond(SoupServerMessage* message, guint status, const char* type, const std::string& body) {
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body.data(), body.size());
}

}  // namespace

MailboxAdmin::MailboxAdmin(GMainContext* context, std::string version, Status status)
    : context_(context),
      version_(std::move(version)),
      status_(std::move(status)),
      limits_(admin_limits()),
      clients_(context, limits_, totals_, {}),
      listeners_(context, [this](GObjectPtr<GSocket> socket) {
        clients_.accept(server_.get(), std::move(socket), nullptr);
      }) {
  const ThreadDefault scope(context_);
  server_.reset(soup_server_new(nullptr, nullptr));
  soup_server_add_handler(server_.get(), nullptr, on_request, this, nullptr);
}

MailboxAdmin::~MailboxAdmin() {
  clients_.close_all();
  const ThreadDefault scope(context_);
  soup_server_disconnect(server_.get());
}

Result<void> MailboxAdmin::listen(const Endpoint& endpoint, mode_t unix_mode) {
  if (auto added = listeners_.add(endpoint, unix_mode); !added) return added;
  listeners_.watch();
  return {};
}

std::vector<std::string> MailboxAdmin::urls() const {
  std::vector<std::string> urls;
  for (const auto& address : listeners_.addresses()) {
    urls.push_back(address.is_unix ? address.text : "http://" + address.text);
  }
  return urls;
}

void MailboxAdmin::on_request(SoupServer* /*server*/, SoupServerMessage* message, const char* path,
                              GHashTable* /*query*/, gpointer data) noexcept {
  static_cast<const MailboxAdmin*>(data)->answer(message, path);
}

void MailboxAdmin::answer(SoupServerMessage* message, std::string_view path) const {
  const std::string_view method = soup_server_message_get_method(message);
  if (path != "/healthz" && path != "/metrics") {
    return respond(message, SOUP_STATUS_NOT_FOUND, "text/plain", "/healthz and /metrics\n");
  }
  if (method != "GET" && method != "HEAD") {
    return soup_server_message_set_status(message, SOUP_STATUS_METHOD_NOT_ALLOWED, nullptr);
  }
  const MailboxStatus status = status_();
  if (path == "/metrics") {
    return respond(message, SOUP_STATUS_OK, "text/plain; version=0.0.4; charset=utf-8",
                   render_metrics(status, version_));
  }
  if (status.state_failing) {
    return respond(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "text/plain",
                   "the state file can not be written\n");
  }
  respond(message, SOUP_STATUS_OK, "text/plain", "ok\n");
}

}  // namespace peersock::adapters
