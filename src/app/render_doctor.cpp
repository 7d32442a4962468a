#include "app/render_doctor.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/printable.hpp"
#include "app/render_json.hpp"
#include "core/machine.hpp"

namespace peersock::app {
namespace {

using Json = nlohmann::ordered_json;

Json object(std::string_view name, const Json& members) {
  Json json = {{"v", kEventVersion}, {"event", name}};
  json.update(members);
  return json;
}

Json milliseconds(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return std::round(static_cast<double>(duration->count()) / 1e3) / 1e3;
}

Json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

std::string address_text(const wire::StunAddress& address) {
  return ice::endpoint_text(address.address, address.port);
}

Json address_or_null(const std::optional<wire::StunAddress>& address) {
  if (!address) return nullptr;
  return address_text(*address);
}

std::string_view name_of(ServerKind kind) {
  switch (kind) {
    case ServerKind::kStun:
      return "stun";
    case ServerKind::kTurn:
      return "turn";
    case ServerKind::kProxy:
      return "proxy";
    case ServerKind::kRendezvous:
      break;
  }
  return "rendezvous";
}

std::string_view name_of(Way way) {
  switch (way) {
    case Way::kDirect:
      return "direct";
    case Way::kRelay:
      return "relayed";
    case Way::kSearch:
      return "search";
    case Way::kNone:
      return "none";
    case Way::kUnknown:
      break;
  }
  return "unknown";
}

Json object_of(const DoctorFact& fact) {
  return std::visit(
      Overloaded{
          [](const DoctorServer& f) {
            return object("doctor_server", {{"kind", name_of(f.kind)},
                                            {"name", f.name},
                                            {"transport", text_or_null(f.transport)},
                                            {"works", f.after.has_value()},
                                            {"after_ms", milliseconds(f.after)},
                                            {"problem", text_or_null(f.problem)}});
          },
          [](const DoctorNat& f) {
            const auto& report = f.report;
            return object("doctor_nat", {{"family", f.ipv6 ? "ipv6" : "ipv4"},
                                         {"address", address_or_null(report.mapped)},
                                         {"server", address_or_null(report.server)},
                                         {"after_ms", milliseconds(report.answered_after)},
                                         {"translated", report.translated},
                                         {"port_kept", report.port_kept},
                                         {"address_varies", report.address_varies},
                                         {"mapping", ice::nat::to_string(report.mapping)},
                                         {"filtering", ice::nat::to_string(report.filtering)},
                                         {"hairpin", ice::nat::to_string(report.hairpin)},
                                         {"problem", text_or_null(f.problem)}});
          },
          [](const DoctorPeer& f) {
            return object("doctor_peer",
                          {{"nat", f.kind ? ice::nat::to_string(*f.kind) : "same-network"},
                           {"way", name_of(f.way)}});
          },
      },
      fact);
}

std::string over(const std::string& transport) {
  if (transport == "udp") return " over UDP";
  if (transport == "tcp") return " over TCP";
  return transport == "tls" ? " over TLS" : "";
}

std::string server_line(const DoctorServer& server) {
  const char* label = "Rendezvous server";
  const char* works = "lets us in";
  if (server.kind == ServerKind::kStun) {
    label = "STUN server";
    works = "answers";
  } else if (server.kind == ServerKind::kTurn) {
    label = "TURN server";
    works = "gives a relay";
  } else if (server.kind == ServerKind::kProxy) {
    label = "Proxy";
    works = "lets us through";
  }
  const std::string name = printable(server.name) + over(server.transport);
  if (server.after) {
    return fmt::format("{} {}: {}, {}", label, name, works, format_duration(*server.after));
  }
  return fmt::format("{} {}: not usable ({})", label, name, printable(server.problem));
}

std::string nat_lines(const DoctorNat& nat) {
  const auto& report = nat.report;
  const char* family = nat.ipv6 ? "IPv6" : "IPv4";
  if (!report.mapped) return fmt::format("{}: {}", family, printable(nat.problem));
  std::string text = fmt::format("{}: seen as {}, {}", family, address_text(*report.mapped),
                                 report.translated ? "behind a NAT" : "no NAT");
  if (report.translated) {
    text += fmt::format("\n{} mapping: {}, port {}", family, ice::nat::to_string(report.mapping),
                        report.port_kept ? "kept" : "changed");
    if (report.address_varies) text += ", any of several addresses";
  }
  text += fmt::format("\n{} filtering: {}", family, ice::nat::to_string(report.filtering));
  if (report.translated) {
    text += fmt::format("\n{} hairpin: {}", family, ice::nat::to_string(report.hairpin));
  }
  return text;
}

std::string peer_line(const DoctorPeer& peer) {
  std::string who = "Peers on the same network";
  if (peer.kind == ice::nat::PeerKind::kOpen) {
    who = "Peers without a NAT";
  } else if (peer.kind) {
    who = fmt::format("Peers behind {} NATs", ice::nat::to_string(*peer.kind));
  }
  switch (peer.way) {
    case Way::kDirect:
      return who + ": directly";
    case Way::kRelay:
      return who + ": through the relay only";
    case Way::kSearch:
      return who + ": through the relay, often directly a few seconds later";
    case Way::kNone:
      return who + ": not at all";
    case Way::kUnknown:
      break;
  }
  return who + ": not known";
}

}  // namespace

std::string render_json(const DoctorFact& fact) {
  return object_of(fact).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> render_text(const DoctorFact& fact, Verbosity verbosity) {
  if (verbosity < Verbosity::kNormal) return std::nullopt;
  return std::visit(Overloaded{
                        [](const DoctorServer& f) { return server_line(f); },
                        [](const DoctorNat& f) { return nat_lines(f); },
                        [](const DoctorPeer& f) { return peer_line(f); },
                    },
                    fact);
}

}  // namespace peersock::app
