#include "programs/turn_stream.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

namespace peersock::sim {
namespace {

constexpr std::size_t kStunHeader = 20;
constexpr std::size_t kChannelHeader = 4;
constexpr std::size_t kMostWaiting = std::size_t{128} * 1024;

std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

SocketName peer_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  (void)getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&name), size).value_or(SocketName{});
}

}  // namespace

std::optional<std::size_t> turn_message_size(OctetView octets) {
  if (octets.size() < kChannelHeader) return std::nullopt;
  const std::size_t length = octets[2] << 8 | octets[3];
  const bool channel = octets[0] >> 6 == 1;
  const std::size_t size = channel ? padded(kChannelHeader + length) : kStunHeader + length;
  if (octets.size() < size) return std::nullopt;
  return size;
}

TurnStream::TurnStream(GMainContext* context, adapters::UniqueFd fd, Callbacks callbacks)
    : fd_(std::move(fd)),
      callbacks_(std::move(callbacks)),
      peer_(peer_of(fd_.get())),
      watch_(context, fd_.get(), [this](bool, bool) { step(); }) {
  watch_.watch(true, false);
}

void TurnStream::send(OctetView message) {
  if (waiting_.size() + message.size() > kMostWaiting) return;
  waiting_.insert(waiting_.end(), message.begin(), message.end());
  waiting_.resize(waiting_.size() + padded(message.size()) - message.size());
  // An error is seen by whoever reads.
  if (write_all()) watch_.watch(true, !waiting_.empty());
}

void TurnStream::reset_at_end() {
  const linger none{1, 0};
  (void)setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void TurnStream::step() {
  const bool lives = write_all() && read_all();
  if (lives) return watch_.watch(true, !waiting_.empty());
  watch_.watch(false, false);
  const auto closed = callbacks_.closed;
  closed();
}

bool TurnStream::write_all() {
  while (!waiting_.empty()) {
    const ssize_t taken =
        ::send(fd_.get(), waiting_.data(), waiting_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) return errno == EAGAIN;
    waiting_.erase(waiting_.begin(), waiting_.begin() + taken);
  }
  return true;
}

bool TurnStream::read_all() {
  std::array<std::uint8_t, 8192> octets{};
  for (;;) {
    const ssize_t got = recv(fd_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    received_.insert(received_.end(), octets.begin(), octets.begin() + got);
    while (const auto size = turn_message_size(received_)) {
      const Octets message(received_.begin(),
                           received_.begin() + static_cast<std::ptrdiff_t>(*size));
      received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(*size));
      callbacks_.message(message);
    }
  }
}

}  // namespace peersock::sim
