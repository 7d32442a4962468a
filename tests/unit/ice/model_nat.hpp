// A NAT of RFC 4787 and STUN servers behind it, in as few lines as possible: what a probe sends is
// answered as such a network would.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ice/nat_probe.hpp"

namespace peersock::testing {

struct ModelNetwork {
  bool nat = true;
  ice::nat::Mapping mapping = ice::nat::Mapping::kEndpointIndependent;
  ice::nat::Filtering filtering = ice::nat::Filtering::kEndpointIndependent;
  bool hairpin = true;
  bool has_other_address = true;  ///< the server speaks RFC 5780
  bool other_address_works = true;
  bool heeds_change_request = true;  ///< if not, it answers from where it was asked
  int lost = 0;                      ///< so many datagrams of each request are lost
};

class ModelNat {
 public:
  using Address = wire::StunAddress;
  inline static const Address kServer{"203.0.113.1", 3478};
  inline static const Address kOther{"203.0.113.2", 3479};
  inline static const std::string kInside = "192.168.1.2";
  inline static const std::string kOutside = "198.51.100.9";

  explicit ModelNat(ModelNetwork network) : network_(network) {}

  /// The report of a probe behind this NAT.
  ice::nat::Report probe(std::vector<Address> others = {}) {
    ice::nat::Probe machine({kServer, std::move(others), {kInside}, {5000, 5001}});
    Instant now{};
    perform(machine.handle(ice::nat::Started{}, now));
    for (int step = 0; step < 1000 && !report_; ++step) {
      if (!arrived_.empty()) {
        auto input = std::move(arrived_.front());
        arrived_.pop_front();
        perform(machine.handle(std::move(input), now += 10ms));
      } else {
        now = machine.deadline().value();
        perform(machine.handle(DeadlineReached{}, now));
      }
    }
    took = now - Instant{};
    return report_.value();
  }

  int sent = 0;
  Duration took{};

 private:
  void perform(std::vector<ice::nat::ProbeOutput> outputs) {
    for (auto& output : outputs) std::visit([this](auto& held) { carry_out(held); }, output);
  }
  void carry_out(const ice::nat::Finished& finished) { report_ = finished.report; }

  void carry_out(const ice::nat::SendBinding& binding) {
    const Address from = leave(binding.socket, binding.destination);
    if (is_lost(binding.request) || !is_server(binding.destination)) return;
    Address source = binding.destination;
    if (network_.heeds_change_request && binding.change_address) source.address = kOther.address;
    if (network_.heeds_change_request && binding.change_port) source.port = kOther.port;
    if (!network_.other_address_works && source.address == kOther.address) return;
    if (!may_enter(from, source)) return;
    ice::nat::BindingAnswered answer{binding.request, source, from, {}};
    if (network_.has_other_address) answer.other = kOther;
    arrived_.emplace_back(answer);
  }

  void carry_out(const ice::nat::SendHairpin& hairpin) {
    const Address from = leave(hairpin.socket, hairpin.destination);
    if (is_lost(hairpin.request) || !network_.hairpin || !network_.nat) return;
    if (may_enter(hairpin.destination, from)) {
      arrived_.emplace_back(ice::nat::HairpinArrived{hairpin.request});
    }
  }

  bool is_lost(ice::nat::RequestId request) {
    ++sent;
    return tries_[request]++ < network_.lost;
  }

  static bool is_server(const Address& address) {
    return address.address == kServer.address || address.address == kOther.address;
  }

  /// The outer address of a datagram that leaves.
  Address leave(ice::nat::Socket socket, const Address& to) {
    const bool by_address = network_.mapping != ice::nat::Mapping::kEndpointIndependent;
    const bool by_port = network_.mapping == ice::nat::Mapping::kAddressAndPortDependent;
    const Address key{by_address ? to.address : "", by_port ? to.port : std::uint16_t{0}};
    Address outer{kInside,
                  socket == ice::nat::Socket::kFirst ? std::uint16_t{5000} : std::uint16_t{5001}};
    if (network_.nat) {
      const auto next = static_cast<std::uint16_t>(40000 + mappings_.size());
      outer = {kOutside, mappings_.try_emplace({socket, text(key)}, next).first->second};
    }
    sent_to_.insert({outer.port, to.address});
    sent_to_.insert({outer.port, text(to)});
    return outer;
  }

  [[nodiscard]] bool may_enter(const Address& outer, const Address& from) const {
    switch (network_.filtering) {
      case ice::nat::Filtering::kAddressDependent:
        return sent_to_.count({outer.port, from.address}) != 0;
      case ice::nat::Filtering::kAddressAndPortDependent:
        return sent_to_.count({outer.port, text(from)}) != 0;
      default:
        break;
    }
    return true;
  }

  static std::string text(const Address& address) {
    return address.address + " " + std::to_string(address.port);
  }

  ModelNetwork network_;
  std::map<std::pair<ice::nat::Socket, std::string>, std::uint16_t> mappings_;
  std::set<std::pair<std::uint16_t, std::string>> sent_to_;  // by outer port
  std::map<ice::nat::RequestId, int> tries_;
  std::deque<ice::nat::ProbeInput> arrived_;
  std::optional<ice::nat::Report> report_;
};

}  // namespace peersock::testing
