#include "app/render_json.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

#include "core/machine.hpp"

namespace peersock::app {
namespace {

/// Keeps the members in the order in which they are written here.
using Json = nlohmann::ordered_json;

Json object(std::string_view name) {
  return {{"v", kEventVersion}, {"event", name}};
}

Json object(std::string_view name, const Json& members) {
  Json json = object(name);
  json.update(members);
  return json;
}

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Milliseconds to the microsecond, or null.
Json milliseconds(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return std::round(static_cast<double>(duration->count()) / 1e3) / 1e3;
}

Json reason_of(const PathInfo& path) {
  if (path.reason == RelayReason::kNone) return nullptr;
  return to_string(path.reason);
}

Json path_object(const event::PathChosen& chosen) {
  const PathInfo& path = chosen.path;
  const Json relay_transport =
      path.relay_transport.empty() ? Json(nullptr) : Json(path.relay_transport);
  return object("path_chosen", {{"kind", path.relayed ? "relayed" : "direct"},
                                {"local_type", path.local_type},
                                {"remote_type", path.remote_type},
                                {"local_address", path.local_address},
                                {"remote_address", path.remote_address},
                                {"transport", path.transport},
                                {"relay_transport", relay_transport},
                                {"datagram_path", path.split ? "split" : "nice"},
                                {"reason", reason_of(path)},
                                {"round_trip_ms", milliseconds(chosen.round_trip)}});
}

Json closed_object(const event::ConnectionClosed& closed) {
  return object("connection_closed", {{"id", closed.id},
                                      {"reason", to_string(closed.reason)},
                                      {"bytes_sent", closed.bytes_sent},
                                      {"bytes_received", closed.bytes_received}});
}

Json error_object(const Error& error) {
  return object("error", {{"kind", to_string(error.kind)}, {"message", error.message}});
}

Json object_of(const Event& event) {
  return std::visit(Overloaded{
                        [](const event::CodeMade& e) {
                          return object("code_made", {{"code", e.code.reveal_text()}});
                        },
                        [](const event::RendezvousJoined& e) {
                          return object("rendezvous_joined", {{"url", e.url}});
                        },
                        [](const event::Motd& e) {
                          return object("motd", {{"text", e.text}});
                        },
                        [](const event::PeerArrived& e) {
                          return object("peer_arrived", {{"mode", e.mode}});
                        },
                        [](const event::PathChosen& e) { return path_object(e); },
                        [](const event::PathRestarted& e) {
                          return object("path_restarted", {{"reason", to_string(e.reason)}});
                        },
                        [](const event::Authenticated& e) {
                          return object("authenticated", {{"engine", e.engine}});
                        },
                        [](const event::Listening& e) {
                          return object("listening", {{"address", e.address}});
                        },
                        [](const event::ConnectionOpened& e) {
                          return object("connection_opened", {{"id", e.id}});
                        },
                        [](const event::ConnectionClosed& e) { return closed_object(e); },
                        [](const event::PeerLeft&) { return object("peer_left"); },
                        [](const event::Warning& e) {
                          return object("warning", {{"message", e.message}});
                        },
                        [](const event::Failed& e) { return error_object(e.error); },
                        [](const event::Ended& e) {
                          return object("ended", {{"exit_code", static_cast<int>(e.exit_code)}});
                        },
                        [](const event::MailboxListening& e) {
                          return object("mailbox_listening", {{"url", e.url}});
                        },
                    },
                    event);
}

}  // namespace

std::string render_json(const Event& event) {
  return line(object_of(event));
}

std::string render_json(const TraceStep& step) {
  Json outputs = Json::array();
  for (const std::string_view output : step.outputs) outputs.push_back(output);
  return line(object("trace", {{"machine", step.machine},
                               {"state", step.state_before},
                               {"input", step.input},
                               {"next", step.state_after},
                               {"outputs", std::move(outputs)}}));
}

}  // namespace peersock::app
