#include "adapters/mailbox_admin.hpp"

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

}  // namespace

MailboxAdmin::MailboxAdmin(GMainContext* context, std::string version, Status status)
    : version_(std::move(version)),
      status_(std::move(status)),
      limits_(admin_limits()),
      clients_(context, limits_, totals_,
               {[this](const HttpRequest& request) { return answer(request); }, {}, {}, {}}),
      listeners_(context, [this](UniqueFd socket, GSocketAddress* remote) {
        clients_.accept(std::move(socket), remote, nullptr);
      }) {}

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

HttpAnswer MailboxAdmin::answer(const HttpRequest& request) const {
  HttpAnswer answer;
  if (request.path != "/healthz" && request.path != "/metrics") {
    answer.status = SOUP_STATUS_NOT_FOUND;
    answer.body = "/healthz and /metrics\n";
  } else if (request.method != "GET" && request.method != "HEAD") {
    answer.status = SOUP_STATUS_METHOD_NOT_ALLOWED;
  } else if (const MailboxStatus status = status_(); request.path == "/metrics") {
    answer.type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = render_metrics(status, version_);
  } else if (status.state_failing) {
    answer.status = SOUP_STATUS_SERVICE_UNAVAILABLE;
    answer.body = "the state file can not be written\n";
  } else {
    answer.body = "ok\n";
  }
  return answer;
}

}  // namespace peersock::adapters
