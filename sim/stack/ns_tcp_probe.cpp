#include "stack/ns_tcp_probe.hpp"

#include <algorithm>

#include <ns3/simulator.h>
#include <ns3/tcp-tx-buffer.h>

namespace peersock::sim {
namespace {

struct Reach : ns3::TcpSocketBase {
  static bool has_something_to_send(ns3::TcpSocketBase& socket) {
    const auto next = (socket.*&Reach::m_tcb)->m_nextTxSequence;
    return (socket.*&Reach::m_txBuffer)->SizeFromSequence(next) > 0;
  }
  static void ask_once(ns3::TcpSocketBase& socket) {
    (socket.*&Reach::PersistTimeout)();
    (socket.*&Reach::m_persistEvent).Cancel();
  }
};

// Those of ns-3.
const double kFirstWait = 6;
const double kLongestWait = 60;
/// Longer than any simulation.
const double kNever = 1e6;

}  // namespace

NsTcpProbe::NsTcpProbe(const ns3::Ptr<ns3::Socket>& socket)
    : socket_(ns3::DynamicCast<ns3::TcpSocketBase>(socket)) {
  socket_->SetAttribute("PersistTimeout", ns3::TimeValue(ns3::Seconds(kNever)));
  socket_->TraceConnectWithoutContext("RWND", ns3::MakeCallback(&NsTcpProbe::window_changed, this));
}

NsTcpProbe::~NsTcpProbe() {
  due_.Cancel();
  socket_->TraceDisconnectWithoutContext("RWND",
                                         ns3::MakeCallback(&NsTcpProbe::window_changed, this));
}

void NsTcpProbe::window_changed(std::uint32_t /*from*/, std::uint32_t to) {
  if (to > 0) return due_.Cancel();
  plan(ns3::Seconds(kFirstWait));
}

void NsTcpProbe::plan(ns3::Time wait) {
  due_.Cancel();
  wait_ = wait;
  due_ = ns3::Simulator::Schedule(wait_, &NsTcpProbe::ask, this);
}

void NsTcpProbe::ask() {
  // Something may still come while there is no room.
  if (!Reach::has_something_to_send(*socket_)) return plan(wait_);
  plan(std::min(wait_ + wait_, ns3::Seconds(kLongestWait)));
  Reach::ask_once(*socket_);
}

}  // namespace peersock::sim
