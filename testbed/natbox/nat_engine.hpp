// What a NAT decides, in the words of RFC 4787 (UDP), RFC 5382 (TCP) and RFC 5508 (ICMP), for IPv4.
//
// No I/O, no clock, no entropy: the caller says what time it is, and a seed fixes what is random.
// The same engine serves the box between real network devices (natbox.cpp) and simulated networks.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

namespace peersock::testbed {

using Time = std::chrono::microseconds;  // since any fixed instant

struct Endpoint {
  std::uint32_t address = 0;  // in host order
  std::uint16_t port = 0;     // of an ICMP query: its identifier
  // The comparison with 0 in what the compiler makes is none with a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

enum class Protocol : std::uint8_t { Icmp = 1, Tcp = 6, Udp = 17 };

// What of a remote endpoint a mapping or a filter depends on (RFC 4787 sections 4.1 and 5).
enum class Dependence { Independent, Address, AddressAndPort };

// Which external port a new mapping gets (section 4.2.1). None is ever shared: where the wanted one
// is taken, the next free one serves ("no port overloading").
enum class Ports { Preserved, Random, Sequential };

struct NatConfig {
  Dependence mapping = Dependence::Independent;
  Dependence filtering = Dependence::AddressAndPort;
  Ports ports = Ports::Preserved;
  bool hairpin = false;                      // section 6; the source is the external one (REQ-9)
  std::vector<std::uint32_t> addresses;      // external, at least one
  bool paired = true;                        // REQ-2: one inside address keeps one external address
  Time timeout = std::chrono::seconds(120);  // since the last packet from inside (REQ-6)
  std::uint16_t lowest_port = 1024;
  std::size_t most_mappings = 4096;  // packets that need more are dropped
};

class NatEngine {
 public:
  struct Flow {
    Endpoint source;
    Endpoint destination;
    friend bool operator==(const Flow&, const Flow&) = default;
  };
  struct Verdict {
    Flow flow;
    bool hairpinned = false;  // goes back inside
  };

  NatEngine(NatConfig config, std::uint64_t seed);

  // A packet from inside. Nothing: it is dropped.
  [[nodiscard]] std::optional<Verdict> outbound(Protocol protocol, const Flow& flow, Time now);
  // A packet from outside for one of our addresses. Nothing: it is dropped.
  [[nodiscard]] std::optional<Flow> inbound(Protocol protocol, const Flow& flow, Time now);

  // For ICMP errors, which change nothing: who has this external endpoint, and which one has he
  // towards this destination.
  [[nodiscard]] std::optional<Endpoint> inside_of(Protocol protocol, const Endpoint& external,
                                                  Time now) const;
  [[nodiscard]] std::optional<Endpoint> outside_of(Protocol protocol, const Flow& flow,
                                                   Time now) const;

  [[nodiscard]] bool is_external(std::uint32_t address) const;
  [[nodiscard]] std::size_t mappings() const { return mappings_.size(); }

  // Forgets everything, as a power cut does; ports do not come back in the same order.
  void reboot();

 private:
  using Key = std::tuple<Protocol, Endpoint, Endpoint>;
  struct Mapping {
    Endpoint inside;
    Endpoint external;
    Time expires{};
    std::map<Endpoint, Time> allowed;  // remote endpoints, reduced to what the filter looks at
  };

  [[nodiscard]] static Endpoint reduce(Dependence dependence, const Endpoint& remote);
  [[nodiscard]] Key key_of(Protocol protocol, const Flow& flow) const;
  [[nodiscard]] std::optional<Endpoint> free_endpoint(Protocol protocol, const Endpoint& inside,
                                                      Time now);
  [[nodiscard]] std::uint16_t wanted_offset(const Endpoint& inside, std::uint32_t span);
  [[nodiscard]] Mapping* find_or_make(Protocol protocol, const Flow& flow, Time now);
  void forget(const Key& key);
  void forget_expired(Time now);

  NatConfig config_;
  std::mt19937_64 random_;
  std::uint32_t next_ = 0;  // Ports::Sequential
  std::map<Key, Mapping> mappings_;
  std::map<std::tuple<Protocol, Endpoint>, Key> by_external_;
};

}  // namespace peersock::testbed
