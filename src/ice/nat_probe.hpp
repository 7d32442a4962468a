// Finds out what the NAT in front of this machine does, for one address family, by asking a STUN
// server: RFC 5780 section 4. Two sockets work at the same time, because the tests of the mapping
// open the filter that the other tests look at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/machine.hpp"
#include "ice/nat_report.hpp"
#include "wire/stun.hpp"

namespace peersock::ice::nat {

/// The intervals of RFC 8489 section 6.2.1, but fewer tries: a datagram is sent when the request
/// begins, after 0.5 s and after 1.5 s, and has not been answered when 3 s have gone by.
inline constexpr std::array<Duration, 3> kTries = {500ms, 1000ms, 1500ms};
/// From the start to the report at most: two rounds of requests.
inline constexpr Duration kProbeLimit = 6s;
/// More second servers are left out.
inline constexpr std::size_t kMaxOtherServers = 3;

/// Which local socket sends: the first one finds out the mapping, the second one the filtering.
enum class Socket : std::uint8_t { kFirst, kSecond };

struct ProbeConfig {
  wire::StunAddress server;
  /// Servers that answer Binding as well, of the same family: without RFC 5780 they tell whether
  /// the mapping depends on the destination.
  std::vector<wire::StunAddress> others;
  std::vector<std::string> local_addresses;    ///< numeric, of this machine
  std::array<std::uint16_t, 2> local_ports{};  ///< of the two sockets
};

/// Names a request over all its repetitions; from 0 on, at most 11.
using RequestId = std::size_t;

// Inputs.
struct Started {
  static constexpr std::string_view kName = "Started";
};
struct BindingAnswered {
  static constexpr std::string_view kName = "BindingAnswered";
  RequestId request = 0;
  wire::StunAddress from;
  wire::StunAddress mapped;
  std::optional<wire::StunAddress> other;
};
/// An error response, or a success response without an address.
struct BindingRefused {
  static constexpr std::string_view kName = "BindingRefused";
  RequestId request = 0;
};
/// The system has no way to the destination.
struct SendFailed {
  static constexpr std::string_view kName = "SendFailed";
  RequestId request = 0;
};
/// What SendHairpin sent has come in at the other socket.
struct HairpinArrived {
  static constexpr std::string_view kName = "HairpinArrived";
  RequestId request = 0;
};
/// There is no more time: report what is known.
struct StopRequested {
  static constexpr std::string_view kName = "StopRequested";
};
using ProbeInput = std::variant<Started, BindingAnswered, BindingRefused, SendFailed,
                                HairpinArrived, StopRequested, DeadlineReached>;

// Outputs.
struct SendBinding {
  static constexpr std::string_view kName = "SendBinding";
  RequestId request = 0;
  Socket socket = Socket::kFirst;
  wire::StunAddress destination;
  bool change_address = false;
  bool change_port = false;
};
/// A datagram to the outer address of our other socket.
struct SendHairpin {
  static constexpr std::string_view kName = "SendHairpin";
  RequestId request = 0;
  Socket socket = Socket::kFirst;
  wire::StunAddress destination;
};
/// Terminal.
struct Finished {
  static constexpr std::string_view kName = "Finished";
  Report report;
};
using ProbeOutput = std::variant<SendBinding, SendHairpin, Finished>;

class Probe {
 public:
  using Input = ProbeInput;
  using Output = ProbeOutput;
  static constexpr std::string_view kName = "nat";

  explicit Probe(ProbeConfig config);

  [[nodiscard]] std::vector<Output> handle(Input input, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  /// "Idle", "Asking" (the server has not answered yet), "Classifying", "Done".
  [[nodiscard]] std::string_view state_name() const;

 private:
  enum class State : std::uint8_t { kIdle, kAsking, kClassifying, kDone };
  enum class Test : std::uint8_t {
    kMapped,         ///< RFC 5780 section 4.3 and 4.4, test I, of the first socket
    kSecondMapped,   ///< the same of the second one
    kOtherServer,    ///< in place of the next two
    kMappedAddress,  ///< section 4.3, test II: to the other address
    kMappedBoth,     ///< section 4.3, test III: to the other address and port
    kFilterBoth,     ///< section 4.4, test II: from the other address and port
    kFilterPort,     ///< section 4.4, test III: from the other port
    kHairpin,        ///< section 4.5
  };
  enum class Status : std::uint8_t {
    kWaiting,
    kAnswered,
    kSilent,
    kRefused,
    kNoRoute,
    kDropped,  ///< not waited for any more
  };
  struct Request {
    Test test = Test::kMapped;
    Socket socket = Socket::kFirst;
    wire::StunAddress destination;
    Status status = Status::kWaiting;
    std::size_t tries = 0;
    Instant began;
    Instant next;  ///< when to send again, or to give up
    Duration took{};
    wire::StunAddress mapped;
  };
  using Outputs = std::vector<Output>;

  void on(Started& input, Instant now, Outputs& out);
  void on(BindingAnswered& input, Instant now, Outputs& out);
  void on(BindingRefused& input, Instant now, Outputs& out);
  void on(SendFailed& input, Instant now, Outputs& out);
  void on(HairpinArrived& input, Instant now, Outputs& out);
  void on(StopRequested& input, Instant now, Outputs& out);
  void on(DeadlineReached& input, Instant now, Outputs& out);

  void begin(Test test, Socket socket, wire::StunAddress destination, Instant now, Outputs& out);
  void send(RequestId id, Instant now, Outputs& out);
  [[nodiscard]] Request* waiting(RequestId id);
  [[nodiscard]] const Request* find(Test test, Status status) const;
  [[nodiscard]] const Request* answered(Test test) const { return find(test, Status::kAnswered); }
  [[nodiscard]] bool has_begun(Test test) const;
  [[nodiscard]] bool is_from_where_asked(const Request& request,
                                         const wire::StunAddress& from) const;
  void go_on(Instant now, Outputs& out);
  void begin_what_can(Instant now, Outputs& out);
  void drop(Test test);

  [[nodiscard]] Trouble trouble() const;
  [[nodiscard]] bool is_translated(const Request& request) const;
  [[nodiscard]] Report report() const;
  [[nodiscard]] Mapping mapping(const Request& first) const;
  [[nodiscard]] Mapping mapping_by_other_servers(const Request& first) const;
  [[nodiscard]] Filtering filtering() const;
  [[nodiscard]] Hairpin hairpin(Mapping mapping) const;

  ProbeConfig config_;
  State state_ = State::kIdle;
  std::vector<Request> requests_;
  std::optional<wire::StunAddress> other_;  // of the server, if it is of use
};

}  // namespace peersock::ice::nat
