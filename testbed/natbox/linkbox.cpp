// linkbox --a DEVICE --b DEVICE [--seed N] [--delay-us N] [--jitter-us N] [--rate-kbit N]
//         [--queue-us N] [--loss %] [--burst-begin %] [--burst-end %] [--burst-loss %]
//         [--duplicate %] [--reorder %] [--black-hole OCTETS]
//         [--tells OCTETS --router4 ADDRESS --router6 ADDRESS]
//
// A line between two network devices; prints "ready", and works until it is killed.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>

#include "line.hpp"
#include "packet_ring.hpp"
#include "raw_device.hpp"

namespace {

using namespace peersock::testbed;

constexpr std::size_t batch = 64;

void carry(PacketRing& from, Line& line, const RawDevice& back) {
  const Time now = monotonic_now();
  // No more than a few, so that what is due on the other side does not wait.
  for (std::size_t count = 0; count < 4 * batch; ++count) {
    const auto frame = from.front();
    if (frame.empty()) return;
    if (const auto answer = line.refuse(frame)) back.send(*answer);
    line.enter(Line::Frame(frame.begin(), frame.end()), now);
    from.release();
  }
}

void deliver(Line& line, const RawDevice& to) {
  std::vector<Line::Frame> frames;
  const Time now = monotonic_now();
  while (auto frame = line.leave(now)) frames.push_back(std::move(*frame));
  to.send(frames);
}

void wait(const RawDevice& a, const RawDevice& b, const Line& out, const Line& back) {
  std::array<pollfd, 2> waiting{{{a.descriptor(), POLLIN, 0}, {b.descriptor(), POLLIN, 0}}};
  timespec left{};
  timespec* limit = nullptr;
  for (const Line* line : {&out, &back}) {
    const auto next = line->next_arrival();
    if (!next) continue;
    const Time rest = std::max(Time(0), *next - monotonic_now());
    const timespec mine{static_cast<time_t>(rest.count() / 1000000), rest.count() % 1000000 * 1000};
    const bool sooner = limit == nullptr || mine.tv_sec < left.tv_sec ||
                        (mine.tv_sec == left.tv_sec && mine.tv_nsec < left.tv_nsec);
    if (sooner) left = mine;
    limit = &left;
  }
  static_cast<void>(::ppoll(waiting.data(), waiting.size(), limit, nullptr));
}

template <std::size_t Size>
void read_address(int family, const std::string& text, std::array<std::uint8_t, Size>& address) {
  if (::inet_pton(family, text.c_str(), address.data()) != 1) fail("no address: " + text);
}

LineConfig config_of(std::map<std::string, std::string>& given) {
  const auto number = [&](const char* name) {
    return given.contains(name) ? std::stod(given[name]) : 0.0;
  };
  LineConfig config;
  config.delay = Time(static_cast<Time::rep>(number("delay-us")));
  config.jitter = Time(static_cast<Time::rep>(number("jitter-us")));
  config.rate = static_cast<std::uint64_t>(number("rate-kbit"));
  if (given.contains("queue-us")) config.queue = Time(static_cast<Time::rep>(number("queue-us")));
  config.loss = number("loss");
  config.bursts.begin = number("burst-begin");
  if (given.contains("burst-end")) config.bursts.end = number("burst-end");
  if (given.contains("burst-loss")) config.bursts.loss = number("burst-loss");
  config.duplicate = number("duplicate");
  config.reorder = number("reorder");
  config.black_hole = static_cast<std::size_t>(number("black-hole"));
  config.tells = static_cast<std::uint16_t>(number("tells"));
  if (config.tells != 0) {
    read_address(AF_INET, given["router4"], config.router.ipv4);
    read_address(AF_INET6, given["router6"], config.router.ipv6);
  }
  return config;
}

}  // namespace

int main(int count, char** values) {
  auto given = options(count, values);
  const LineConfig config = config_of(given);
  const auto seed = given.contains("seed") ? std::stoull(given["seed"]) : 0;
  const RawDevice a(given["a"]);
  const RawDevice b(given["b"]);
  PacketRing from_a(a);
  PacketRing from_b(b);
  // A wire does not wait for the machine's other work; where we may not say so it has to.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, -15));
  Line out(config, seed);
  Line back(config, seed + 1);
  if (std::puts("ready") < 0 || std::fflush(stdout) != 0) return 1;
  while (true) {
    wait(a, b, out, back);
    carry(from_a, out, a);
    carry(from_b, back, b);
    deliver(out, b);
    deliver(back, a);
  }
}
