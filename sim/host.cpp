#include "host.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <poll.h>

namespace peersock::sim {
namespace {

// GLib's own worker threads must find the real C library.
thread_local Host* current_host = nullptr;

/// libnice re-arms a timer of 0 ms until a deadline within the millisecond has passed. So many
/// turns without time going on, then some virtual work of the processor.
constexpr int kTurnsPerInstant = 32;
constexpr Nanos kBusy = std::chrono::microseconds(100);
/// GLib has found its own wake-up call, which is no source.
constexpr int kIdleTurns = 4;

class Running {
 public:
  explicit Running(Host* host) : before_(std::exchange(current_host, host)) {
    g_main_context_push_thread_default(host->context());
  }
  ~Running() {
    g_main_context_pop_thread_default(current_host->context());
    current_host = before_;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&&) = delete;
  Running& operator=(Running&&) = delete;

 private:
  Host* before_;
};

}  // namespace

Host* Host::current() {
  return current_host;
}

Host::Host(std::string name, std::uint32_t number, std::uint64_t seed, bool ipv6, Digest& digest)
    : name_(std::move(name)),
      number_(number),
      random_((seed + number) * 0x9e3779b97f4a7c15U + 1),
      digest_(digest),
      ip_(number, ipv6),
      turn_([this] { serve(); }) {
  // Its wake-up descriptor belongs to this host.
  Host* before = std::exchange(current_host, this);
  context_ = g_main_context_new();
  current_host = before;
}

Host::~Host() {
  Host* before = std::exchange(current_host, this);
  g_main_context_unref(context_);
  current_host = before;
}

void Host::run(const std::function<void()>& call) {
  {
    const Running running(this);
    call();
  }
  kick();
}

void Host::kick() {
  if (!serving_) turn_.after_at_most(Nanos{0});
}

void Host::add_address(const std::string& address, int prefix) {
  ip_.add_address(address, prefix);
  const SocketName name = socket_name(address, 0).value();
  std::erase(lost_addresses_, name);
  tell({name, prefix, false}, true);
}

void Host::remove_address(const std::string& address) {
  const SocketName name = socket_name(address, 0).value();
  const auto all = ip_.addresses();
  const auto known = std::ranges::find(all, name, &InterfaceAddress::name);
  if (known == all.end()) throw std::invalid_argument(name_ + " does not have " + address);
  ip_.remove_address(address);
  lost_addresses_.push_back(name);
  tell(*known, false);
}

void Host::tell(const InterfaceAddress& address, bool added) {
  std::erase_if(address_news_, [](const auto& news) { return news.expired(); });
  for (const auto& news : address_news_) (*news.lock())(address, added);
}

bool Host::has_way(const SocketName& from, const SocketName& to) const {
  // The usual case, and the quick one.
  if (lost_addresses_.empty()) return true;
  SocketName source = from;
  source.port = 0;
  if (std::ranges::count(lost_addresses_, source) > 0) return false;
  const auto all = ip_.addresses();
  return is_loopback(to) || std::ranges::any_of(all, [&](const InterfaceAddress& address) {
           return !address.loopback && address.name.family == to.family;
         });
}

std::optional<SocketName> Host::source_for(const SocketName& to) const {
  const auto all = ip_.addresses();
  const auto found = std::ranges::find_if(all, [&to](const InterfaceAddress& address) {
    return address.name.family == to.family && address.loopback == is_loopback(to);
  });
  if (found == all.end()) return std::nullopt;
  return found->name;
}

bool Host::turn(int& timeout) {
  int priority = 0;
  g_main_context_prepare(context_, &priority);
  int count = 0;
  while ((count = g_main_context_query(context_, priority, &timeout, polled_.data(),
                                       static_cast<int>(polled_.size()))) >
         static_cast<int>(polled_.size())) {
    polled_.resize(static_cast<std::size_t>(count));
  }
  // Interposed: what is simulated answers at once, and nothing is waited for.
  static_assert(sizeof(GPollFD) == sizeof(pollfd));
  (void)poll(reinterpret_cast<pollfd*>(polled_.data()), static_cast<nfds_t>(count), 0);
  const bool ready = g_main_context_check(context_, priority, polled_.data(), count) != 0;
  if (ready) g_main_context_dispatch(context_);
  return ready;
}

void Host::serve() {
  serving_ = true;
  int timeout = -1;
  int turns = 0;
  {
    const Running running(this);
    g_main_context_acquire(context_);
    int idle = 0;
    while (turns < kTurnsPerInstant && idle < kIdleTurns) {
      ++turns;
      idle = turn(timeout) ? 0 : (timeout == 0 ? idle + 1 : kIdleTurns);
    }
    g_main_context_release(context_);
  }
  serving_ = false;
  if (turns == kTurnsPerInstant) {
    turn_.after_at_most(kBusy);
  } else if (timeout >= 0) {
    turn_.after_at_most(std::chrono::milliseconds(std::max(timeout, 1)));
  }
}

// xorshift64: enough for key pairs that protect nothing.
void Host::fill_random(void* out, std::size_t size) {
  auto* octets = static_cast<std::uint8_t*>(out);
  for (std::size_t i = 0; i < size; ++i) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    octets[i] = static_cast<std::uint8_t>(random_ >> 24);
  }
}

void Host::note(std::string_view what, std::span<const std::uint8_t> octets) {
  digest_.add(what, number_, now(), octets);
}

}  // namespace peersock::sim
