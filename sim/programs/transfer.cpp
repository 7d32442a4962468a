#include "programs/transfer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>

namespace peersock::sim {
namespace {

constexpr std::size_t kChunk = 16384;

}  // namespace

void fill_pattern(std::uint64_t seed, std::uint64_t at, std::span<std::uint8_t> octets) {
  while (!octets.empty()) {
    // Eight octets from each word, wherever a piece begins; the multipliers are SplitMix64's.
    std::uint64_t word = (seed + at / 8 + 1) * 0x9e3779b97f4a7c15U;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
    const std::size_t first = at % 8;
    const std::size_t size = std::min(octets.size(), 8 - first);
    std::memcpy(octets.data(), reinterpret_cast<const std::uint8_t*>(&word) + first, size);
    at += size;
    octets = octets.subspan(size);
  }
}

Transfer::Transfer(GMainContext* context, adapters::UniqueFd fd, TransferPlan plan,
                   std::function<void()> over)
    : fd_(std::move(fd)),
      plan_(plan),
      over_(std::move(over)),
      watch_(context, fd_.get(), [this](bool, bool) { step(); }),
      resume_(context, [this] {
        pausing_ = false;
        step();
      }) {
  result_.began = now();
  watch();
}

void Transfer::watch() {
  watch_.watch(!result_.over(), !finished_ && !pausing_ && result_.error == 0);
}

void Transfer::step() {
  write_all();
  read_all();
  watch();
  if (!result_.over() || (!finished_ && result_.error == 0) || std::exchange(told_, true)) return;
  const auto over = over_;
  over();
}

bool Transfer::pause_is_due() const {
  return plan_.pause.count() > 0 && !paused_ && result_.sent >= plan_.send / 2;
}

void Transfer::write_all() {
  std::array<std::uint8_t, kChunk> octets;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (!finished_ && !pausing_ && result_.error == 0) {
    if (pause_is_due()) {
      paused_ = pausing_ = true;
      return resume_.after(plan_.pause);
    }
    const std::uint64_t end = plan_.pause.count() == 0 || paused_ ? plan_.send : plan_.send / 2;
    const auto size = std::min<std::uint64_t>(kChunk, end - result_.sent);
    if (size == 0) {
      finished_ = true;
      (void)shutdown(fd_.get(), SHUT_WR);
      return;
    }
    fill_pattern(plan_.send_seed, result_.sent, std::span(octets).first(size));
    const ssize_t taken = send(fd_.get(), octets.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
      if (errno != EAGAIN) result_.error = errno;
      return;
    }
    result_.sent += static_cast<std::uint64_t>(taken);
  }
}

void Transfer::compare(std::span<const std::uint8_t> octets) {
  std::array<std::uint8_t, kChunk> expected;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto part = std::span(expected).first(octets.size());
  fill_pattern(plan_.expect_seed, result_.received, part);
  const auto wrong = std::ranges::mismatch(octets, part).in1;
  if (wrong == octets.end() || result_.wrong_at) return;
  result_.wrong_at = result_.received + static_cast<std::uint64_t>(wrong - octets.begin());
}

void Transfer::read_all() {
  std::array<std::uint8_t, kChunk> octets;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (!result_.over()) {
    const ssize_t got = recv(fd_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (got < 0) {
      if (errno != EAGAIN) result_.error = errno;
      return;
    }
    if (got == 0) {
      result_.ended = true;
      return;
    }
    if (!result_.first_octet) result_.first_octet = now();
    result_.last_octet = now();
    compare(std::span(octets).first(static_cast<std::size_t>(got)));
    result_.received += static_cast<std::uint64_t>(got);
  }
}

}  // namespace peersock::sim
