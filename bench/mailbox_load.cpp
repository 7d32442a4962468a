#include "bench/mailbox_load.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/epoll.h>

namespace peersock::bench {
namespace {

constexpr std::size_t kMaxEvents = 512;
/// How long what is under way may still take after the last start.
constexpr std::chrono::seconds kGrace{10};
/// Handshakes that idlers have under way at once: a listening socket's queue is not endless.
constexpr std::size_t kHandshakes = 100;
constexpr std::chrono::seconds kIdlersLimit{120};

sockaddr_in server_address(const Target& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// 127.1.0.1 and following.
in_addr source_address(const Target& target, std::uint64_t serial) {
  return {htonl(0x7f010001U + static_cast<std::uint32_t>(serial % target.sources))};
}

timespec to_timespec(nanoseconds duration) {
  const auto positive = std::max(duration, nanoseconds{0});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(positive);
  return {seconds.count(), (positive - seconds).count()};
}

struct Exchange {
  Clock::time_point due;
  std::unique_ptr<Link> maker;
  std::unique_ptr<Link> taker;
  bool counted = false;

  [[nodiscard]] bool done() const { return taker && maker->party.done() && taker->party.done(); }
  [[nodiscard]] bool over() const {
    const auto ended = [](const auto& link) {
      return !link || link->socket.state() == WebSocketClient::State::kEnded;
    };
    return ended(maker) && ended(taker);
  }
  [[nodiscard]] std::string error() const {
    for (const auto* link : {maker.get(), taker.get()}) {
      if (link == nullptr) continue;
      if (!link->party.error().empty()) return link->party.error();
      if (!link->socket.error().empty()) return link->socket.error();
    }
    return {};
  }
};

class ExchangeRun {
 public:
  ExchangeRun(const Target& target, const ExchangePlan& plan) : target_(target), plan_(plan) {}

  ExchangeReport run() {
    begin_ = Clock::now();
    const auto last_start = begin_ + to_duration(plan_.seconds);
    auto now = begin_;
    while (now < last_start || (!running_.empty() && now < last_start + kGrace)) {
      if (now < last_start) start_due(now);
      const auto next = now < last_start ? next_due(now, last_start) : last_start + kGrace;
      // By number, because the first look may end the exchange and both its links.
      touched_.clear();
      for (const Link* link : links_.serve(next - now)) touched_.push_back(link->exchange);
      for (const std::uint64_t number : touched_) look_at(number);
      now = Clock::now();
    }
    report_.seconds = std::chrono::duration<double>(last_end_ - begin_).count();
    for (auto& [number, exchange] : running_) count_failure(exchange, "it did not end");
    return std::move(report_);
  }

 private:
  static Clock::duration to_duration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  [[nodiscard]] Clock::time_point due(std::uint64_t number) const {
    return begin_ + to_duration(static_cast<double>(number) / plan_.rate);
  }

  void start_due(Clock::time_point now) {
    if (plan_.rate <= 0) {
      while (running_.size() < plan_.in_flight) start(now);
      return;
    }
    for (; due(next_) <= now; ++next_) {
      if (running_.size() < plan_.in_flight) {
        start(due(next_));
      } else {
        ++report_.missed;
      }
    }
  }

  [[nodiscard]] Clock::time_point next_due(Clock::time_point now,
                                           Clock::time_point last_start) const {
    if (plan_.rate > 0) return std::min(due(next_), last_start);
    return running_.size() < plan_.in_flight ? now : last_start;
  }

  void start(Clock::time_point due) {
    const std::uint64_t number = report_.started++;
    Exchange& exchange = running_[number];
    exchange.due = due;
    exchange.maker = std::make_unique<Link>(target_, 2 * number, Party::maker(number));
    exchange.maker->exchange = number;
    links_.watch(*exchange.maker);
    look_at(number);
  }

  // The taker sets out as soon as there is a code that it could have been told.
  void look_at(std::uint64_t number) {
    const auto found = running_.find(number);
    if (found == running_.end()) return;
    Exchange& exchange = found->second;
    if (!exchange.taker && !exchange.maker->party.nameplate().empty()) {
      exchange.taker = std::make_unique<Link>(
          target_, 2 * number + 1, Party::taker(number, exchange.maker->party.nameplate()));
      exchange.taker->exchange = number;
      links_.watch(*exchange.taker);
    }
    for (Link* link : {exchange.maker.get(), exchange.taker.get()}) {
      if (link == nullptr || !link->party.done()) continue;
      link->socket.close();
      link->socket.flush();
    }
    if (exchange.done() && !exchange.counted) {
      exchange.counted = true;
      ++report_.completed;
      last_end_ = Clock::now();
      report_.latencies_ms.push_back(
          std::chrono::duration<double, std::milli>(last_end_ - exchange.due).count());
    }
    if (!exchange.counted) {
      if (auto why = exchange.error(); !why.empty()) {
        count_failure(exchange, std::move(why));
        running_.erase(found);
      }
    } else if (exchange.over()) {
      running_.erase(found);
    }
  }

  void count_failure(Exchange& exchange, std::string why) {
    if (std::exchange(exchange.counted, true)) return;
    ++report_.failed;
    if (report_.first_failure.empty()) report_.first_failure = std::move(why);
  }

  Target target_;
  ExchangePlan plan_;
  Links links_;
  Clock::time_point begin_;
  Clock::time_point last_end_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Exchange> running_;
  std::vector<std::uint64_t> touched_;
  ExchangeReport report_;
};

}  // namespace

Link::Link(const Target& target, std::uint64_t serial, Party speaker)
    : socket(server_address(target), source_address(target, serial)), party(std::move(speaker)) {}

Links::Links() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

void Links::watch(Link& link) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &link;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, link.socket.fd(), &event);
}

void Links::watch_input(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

const std::vector<Link*>& Links::serve(nanoseconds limit) {
  served_.clear();
  std::array<epoll_event, kMaxEvents> events{};
  const timespec wait = to_timespec(limit);
  const int ready = epoll_pwait2(epoll_.get(), events.data(), kMaxEvents, &wait, nullptr);
  for (int i = 0; i < ready; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto* link = static_cast<Link*>(event.data.ptr);
    if (link == nullptr) {
      input_ready_ = true;
      continue;
    }
    serve(*link, (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
    served_.push_back(link);
  }
  return served_;
}

void Links::serve(Link& link, bool ending) {
  link.socket.pump(buffer_, ending, [&link](std::string_view frame) {
    for (const std::string& answer : link.party.on_frame(frame)) link.socket.send_text(answer);
  });
}

ExchangeReport run_exchanges(const Target& target, const ExchangePlan& plan) {
  return ExchangeRun(target, plan).run();
}

std::string run_idlers(const Target& target, std::size_t count, int input,
                       const std::function<void()>& ready) {
  Links links;
  links.watch_input(input);
  std::vector<std::unique_ptr<Link>> idlers;
  idlers.reserve(count);
  std::size_t bound = 0;
  const auto limit = Clock::now() + kIdlersLimit;
  while (!links.input_ready()) {
    while (idlers.size() < std::min(count, bound + kHandshakes)) {
      const std::size_t number = idlers.size();
      idlers.push_back(std::make_unique<Link>(target, number, Party::idler(number)));
      links.watch(*idlers.back());
    }
    for (Link* link : links.serve(std::chrono::seconds{1})) {
      if (link->socket.state() == WebSocketClient::State::kEnded) return link->socket.error();
      if (!link->party.error().empty()) return link->party.error();
      if (link->party.done() && link->exchange++ == 0 && ++bound == count) ready();
    }
    if (bound < count && Clock::now() > limit) {
      return fmt::format("only {} of {} clients were let in", bound, count);
    }
  }
  return {};
}

}  // namespace peersock::bench
