#include "app/render_doctor.hpp"

#include <gtest/gtest.h>

namespace peersock::app {
namespace {

using namespace ice::nat;  // NOLINT(google-build-using-namespace)

struct Case {
  DoctorFact fact;
  std::string json;
  std::string text;
};

Report behind_nat() {
  Report report;
  report.trouble = Trouble::kNone;
  report.mapped = wire::StunAddress{"198.51.100.9", 40000};
  report.server = wire::StunAddress{"203.0.113.1", 3478};
  report.answered_after = 12345678ns;
  report.translated = true;
  report.mapping = Mapping::kEndpointIndependent;
  report.filtering = Filtering::kAddressAndPortDependent;
  report.hairpin = Hairpin::kFails;
  return report;
}

Report without_nat() {
  Report report = behind_nat();
  report.mapped = wire::StunAddress{"2001:db8::1", 5000};
  report.server = wire::StunAddress{"2001:db8::2", 3478};
  report.translated = false;
  report.port_kept = true;
  report.hairpin = Hairpin::kUnknown;
  return report;
}

Report behind_pool() {
  Report report = behind_nat();
  report.address_varies = true;
  report.mapping = Mapping::kAddressAndPortDependent;
  report.hairpin = Hairpin::kUnknown;
  return report;
}

std::vector<Case> cases() {
  return {
      {DoctorServer{ServerKind::kRendezvous, "ws://h:4000/v1", 3ms, ""},
       R"({"v":1,"event":"doctor_server","kind":"rendezvous","name":"ws://h:4000/v1",)"
       R"("transport":null,"works":true,"after_ms":3.0,"problem":null})",
       "Rendezvous server ws://h:4000/v1: lets us in, 3.0 ms"},
      {DoctorServer{ServerKind::kStun, "h:3478", 20ms, ""},
       R"({"v":1,"event":"doctor_server","kind":"stun","name":"h:3478",)"
       R"("transport":null,"works":true,"after_ms":20.0,"problem":null})",
       "STUN server h:3478: answers, 20 ms"},
      {DoctorServer{ServerKind::kTurn, "h:3478", std::nullopt, "\x1b[2Jno", "tls"},
       "{\"v\":1,\"event\":\"doctor_server\",\"kind\":\"turn\",\"name\":\"h:3478\","
       "\"transport\":\"tls\",\"works\":false,\"after_ms\":null,\"problem\":\"\\u001b[2Jno\"}",
       "TURN server h:3478 over TLS: not usable (\xef\xbf\xbd[2Jno)"},
      {DoctorNat{false, behind_nat(), ""},
       R"({"v":1,"event":"doctor_nat","family":"ipv4","address":"198.51.100.9:40000",)"
       R"("server":"203.0.113.1:3478","after_ms":12.346,"translated":true,"port_kept":false,)"
       R"("address_varies":false,"mapping":"endpoint-independent","filtering":"address-and-port-dependent",)"
       R"("hairpin":"fails","problem":null})",
       "IPv4: seen as 198.51.100.9:40000, behind a NAT\n"
       "IPv4 mapping: endpoint-independent, port changed\n"
       "IPv4 filtering: address-and-port-dependent\n"
       "IPv4 hairpin: fails"},
      {DoctorNat{false, behind_pool(), ""},
       R"({"v":1,"event":"doctor_nat","family":"ipv4","address":"198.51.100.9:40000",)"
       R"("server":"203.0.113.1:3478","after_ms":12.346,"translated":true,"port_kept":false,)"
       R"("address_varies":true,"mapping":"address-and-port-dependent",)"
       R"("filtering":"address-and-port-dependent","hairpin":"unknown","problem":null})",
       "IPv4: seen as 198.51.100.9:40000, behind a NAT\n"
       "IPv4 mapping: address-and-port-dependent, port changed, any of several addresses\n"
       "IPv4 filtering: address-and-port-dependent\n"
       "IPv4 hairpin: unknown"},
      {DoctorNat{true, without_nat(), ""},
       R"({"v":1,"event":"doctor_nat","family":"ipv6","address":"[2001:db8::1]:5000",)"
       R"("server":"[2001:db8::2]:3478","after_ms":12.346,"translated":false,"port_kept":true,)"
       R"("address_varies":false,"mapping":"endpoint-independent","filtering":"address-and-port-dependent",)"
       R"("hairpin":"unknown","problem":null})",
       "IPv6: seen as [2001:db8::1]:5000, no NAT\n"
       "IPv6 filtering: address-and-port-dependent"},
      {DoctorNat{true, {}, "no answer came in time"},
       R"({"v":1,"event":"doctor_nat","family":"ipv6","address":null,"server":null,)"
       R"("after_ms":null,"translated":false,"port_kept":false,"address_varies":false,"mapping":"unknown",)"
       R"("filtering":"unknown","hairpin":"unknown","problem":"no answer came in time"})",
       "IPv6: no answer came in time"},
      {DoctorPeer{std::nullopt, Way::kDirect},
       R"({"v":1,"event":"doctor_peer","nat":"same-network","way":"direct"})",
       "Peers on the same network: directly"},
      {DoctorPeer{PeerKind::kOpen, Way::kNone},
       R"({"v":1,"event":"doctor_peer","nat":"open","way":"none"})",
       "Peers without a NAT: not at all"},
      {DoctorPeer{PeerKind::kPortRestricted, Way::kUnknown},
       R"({"v":1,"event":"doctor_peer","nat":"port-restricted","way":"unknown"})",
       "Peers behind port-restricted NATs: not known"},
      {DoctorPeer{PeerKind::kSymmetric, Way::kRelay},
       R"({"v":1,"event":"doctor_peer","nat":"symmetric","way":"relayed"})",
       "Peers behind symmetric NATs: through the relay only"},
      {DoctorPeer{PeerKind::kSymmetric, Way::kSearch},
       R"({"v":1,"event":"doctor_peer","nat":"symmetric","way":"search"})",
       "Peers behind symmetric NATs: through the relay, often directly a few seconds later"},
  };
}

TEST(RenderDoctor, EveryFactHasBothForms) {
  for (const Case& c : cases()) {
    EXPECT_EQ(render_json(c.fact), c.json);
    EXPECT_EQ(render_text(c.fact, Verbosity::kNormal), c.text);
    EXPECT_EQ(render_text(c.fact, Verbosity::kVerbose), c.text);
    EXPECT_EQ(render_text(c.fact, Verbosity::kQuiet), std::nullopt);
  }
}

}  // namespace
}  // namespace peersock::app
