#include <utility>
#include <vector>

#include <ns3/packet.h>
#include <ns3/simulator.h>

#include "stack/scheduler.hpp"

namespace peersock::sim {
namespace {

ns3::Time to_ns(Nanos delay) {
  return ns3::NanoSeconds(static_cast<std::uint64_t>(std::max(delay, Nanos{0}).count()));
}

}  // namespace

Nanos now() {
  return Nanos(ns3::Simulator::Now().GetNanoSeconds());
}

void post(Nanos delay, std::function<void()> call) {
  ns3::Simulator::Schedule(to_ns(delay), [call = std::move(call)] { call(); });
}

void run_until(Nanos limit) {
  ns3::EventId end = ns3::Simulator::Schedule(to_ns(limit - now()), [] { stop(); });
  ns3::Simulator::Run();
  end.Cancel();
}

void stop() {
  ns3::Simulator::Stop();
}

void reset_scheduler() {
  ns3::Simulator::Destroy();
}

void fill_packet_stores() {
  constexpr int kMostKept = 1100;
  constexpr std::uint32_t kLargest = 8192;  // octets, more than two segments on loopback
  const std::vector<std::uint8_t> octets(kLargest);
  std::vector<ns3::Ptr<ns3::Packet>> packets;
  packets.reserve(kMostKept);
  for (int i = 0; i < kMostKept; ++i) {
    packets.push_back(ns3::Create<ns3::Packet>(octets.data(), kLargest));
  }
}

class Timer::Impl {
 public:
  explicit Impl(std::function<void()> fire) : fire_(std::move(fire)) {}
  ~Impl() { event_.Cancel(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  void after(Nanos delay) {
    event_.Cancel();
    event_ = ns3::Simulator::Schedule(to_ns(delay), [this] { fire_(); });
  }
  void after_at_most(Nanos delay) {
    if (!event_.IsExpired() && ns3::Simulator::GetDelayLeft(event_) <= to_ns(delay)) return;
    after(delay);
  }
  void cancel() { event_.Cancel(); }

 private:
  std::function<void()> fire_;
  ns3::EventId event_;
};

Timer::Timer(std::function<void()> fire) : impl_(std::make_unique<Impl>(std::move(fire))) {}
Timer::~Timer() = default;
void Timer::after(Nanos delay) {
  impl_->after(delay);
}
void Timer::after_at_most(Nanos delay) {
  impl_->after_at_most(delay);
}
void Timer::cancel() {
  impl_->cancel();
}

}  // namespace peersock::sim
