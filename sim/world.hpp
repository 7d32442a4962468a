// A network of simulated hosts: the backbone, public servers, and sites behind NATs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fabric/backbone.hpp"
#include "fabric/cable.hpp"
#include "fabric/nat_box.hpp"
#include "fabric/pcap.hpp"
#include "host.hpp"
#include "names.hpp"

namespace peersock::sim {

/// One box of a way to the Internet.
struct NatSpec {
  testbed::Dependence mapping = testbed::Dependence::Independent;
  testbed::Dependence filtering = testbed::Dependence::AddressAndPort;
  testbed::Ports ports = testbed::Ports::Preserved;
  bool hairpin = false;
  int addresses = 1;
  bool paired = true;
  testbed::Time timeout = std::chrono::seconds(120);
  bool udp = true;
  /// TCP gets through to this port and to no other; 0: to all.
  std::uint16_t tcp_port = 0;
  friend bool operator==(const NatSpec&, const NatSpec&) = default;
};

struct SiteSpec {
  std::vector<NatSpec> nats{};  ///< from the inside to the outside; none: a public address
  testbed::LineConfig up{.delay = std::chrono::milliseconds(10)};
  testbed::LineConfig down{.delay = std::chrono::milliseconds(10)};
  bool ipv4 = true;
  bool ipv6 = false;   ///< behind a firewall when there is a NAT
  bool proxy = false;  ///< the sessions there are told of the HTTP proxy
  friend bool operator==(const SiteSpec&, const SiteSpec&) = default;
};

/// A host and its way to the backbone.
struct Site {
  Host* host = nullptr;
  Cable* access = nullptr;  ///< at the backbone
  Cable* own = nullptr;     ///< at the host; the same one when the host is public
  std::vector<NatBox*> nats;
  std::vector<std::string> addresses;  ///< of the host, numeric
};

class World {
 public:
  /// One at a time in a process: virtual time is everybody's. `pcap_folder` empty: no files.
  explicit World(std::uint64_t seed, std::string pcap_folder = {});
  /// Everything that lives on a host must be gone.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  World(World&&) = delete;
  World& operator=(World&&) = delete;

  /// A machine with public addresses, 5 ms from the backbone.
  Host& add_server(const std::string& name, const std::vector<std::string>& addresses);
  /// `number` from 1 to 200 is unique, and is in all addresses of the site.
  Site add_site(const std::string& name, int number, const SiteSpec& spec);
  /// The host's cable is pulled, and its addresses go. The old network stays, without it.
  void leave(Site& site);
  /// The host is in another network, from now on. It keeps the families that it was made with.
  void enter(Site& site, int number, const SiteSpec& spec);

  /// Of a server.
  [[nodiscard]] Cable& cable_of(const Host& server) { return *server_cables_.at(&server); }

  [[nodiscard]] Names& names() { return names_; }
  [[nodiscard]] const Digest& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }

 private:
  Host& add_host(const std::string& name, bool ipv6);
  Cable& join(Box& near, Box& far, const testbed::LineConfig& there,
              const testbed::LineConfig& back);
  NatBox& add_nat(const NatSpec& spec, std::vector<std::uint32_t> addresses);

  std::uint64_t seed_;
  std::string pcap_folder_;
  Digest digest_;
  Names names_;
  Backbone backbone_;
  std::vector<std::unique_ptr<PcapFile>> captures_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<NatBox>> nats_;
  std::vector<std::unique_ptr<Cable>> cables_;
  std::map<const Host*, Cable*> server_cables_;
};

}  // namespace peersock::sim
