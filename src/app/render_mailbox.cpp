#include "app/render_mailbox.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/printable.hpp"
#include "app/render_json.hpp"
#include "core/machine.hpp"

namespace peersock::app {
namespace {

using Json = nlohmann::ordered_json;
using namespace adapters;  // NOLINT(google-build-using-namespace)

Json object(std::string_view name, const Json& members = Json::object()) {
  Json json = {{"v", kEventVersion}, {"event", name}};
  json.update(members);
  return json;
}

double seconds(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return static_cast<double>(ms) / 1000;
}

Json object_of(const MailboxFact& fact) {
  return std::visit(
      Overloaded{
          [](const MailboxAdminListening& f) {
            return object("admin_listening", {{"url", f.url}});
          },
          [](const MailboxClientConnected& f) {
            return object("client_connected", {{"client", f.client}, {"network", f.network}});
          },
          [](const MailboxClientDisconnected& f) {
            return object("client_disconnected", {{"client", f.client},
                                                  {"network", f.network},
                                                  {"reason", to_string(f.reason)},
                                                  {"seconds", seconds(f.lasted)},
                                                  {"bytes_received", f.octets_received},
                                                  {"bytes_sent", f.octets_sent}});
          },
          [](const MailboxClientsRefused& f) {
            return object("clients_refused", {{"full", f.full}, {"per_address", f.per_address}});
          },
          [](const MailboxStateRestored& f) {
            return object("state_restored", {{"mailboxes", f.mailboxes},
                                             {"nameplates", f.nameplates},
                                             {"messages", f.messages}});
          },
          [](const MailboxStateFailing& f) {
            return object("state_failing", {{"message", f.message}});
          },
          [](const MailboxStateKept&) { return object("state_kept"); },
          [](const MailboxTlsReloaded&) { return object("tls_reloaded"); },
      },
      fact);
}

std::string line_of(const MailboxFact& fact) {
  return std::visit(
      Overloaded{
          [](const MailboxAdminListening& f) {
            return fmt::format("Health and metrics at {}", printable(f.url));
          },
          [](const MailboxClientConnected& f) {
            return fmt::format("Client {} connected from {}", f.client, f.network);
          },
          [](const MailboxClientDisconnected& f) {
            return fmt::format("Client {} from {} has gone ({}) after {}, {} received, {} sent",
                               f.client, f.network, to_string(f.reason), format_duration(f.lasted),
                               format_bytes(f.octets_received), format_bytes(f.octets_sent));
          },
          [](const MailboxClientsRefused& f) {
            return fmt::format(
                "Warning: {} connections turned away, {} of them because of their "
                "address; see --max-connections",
                f.full + f.per_address, f.per_address);
          },
          [](const MailboxStateRestored& f) {
            return fmt::format("Restored: {} mailboxes, {} nameplates, {} messages", f.mailboxes,
                               f.nameplates, f.messages);
          },
          [](const MailboxStateFailing& f) {
            return fmt::format("Warning: {}; going on in memory", printable(f.message));
          },
          [](const MailboxStateKept&) { return std::string("The state file is whole again"); },
          [](const MailboxTlsReloaded&) { return std::string("Certificate and key read again"); },
      },
      fact);
}

/// Clients that come and go are news only for those who ask.
bool is_routine(const MailboxFact& fact) {
  return std::holds_alternative<MailboxClientConnected>(fact) ||
         std::holds_alternative<MailboxClientDisconnected>(fact);
}

}  // namespace

std::string render_json(const MailboxFact& fact) {
  return object_of(fact).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> render_text(const MailboxFact& fact, Verbosity verbosity) {
  if (verbosity < (is_routine(fact) ? Verbosity::kVerbose : Verbosity::kNormal)) {
    return std::nullopt;
  }
  return line_of(fact);
}

}  // namespace peersock::app
