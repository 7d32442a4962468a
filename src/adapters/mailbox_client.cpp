#include "adapters/mailbox_client.hpp"

namespace peersock::adapters {
namespace {

/// What the system has taken is cut off the queue when it is most of it, and this much.
constexpr std::size_t kWorthMoving = std::size_t{256} * 1024;

}  // namespace

std::string_view MailboxClient::read(std::span<char> scratch) {
  if (over) return {};
  const auto got = socket_.read(scratch);
  if (got.state == ByteSocket::State::kOver) over = true;
  received += got.octets;
  return {scratch.data(), got.octets};
}

std::size_t MailboxClient::flush() {
  std::size_t done = 0;
  while (!over && !blocked_ && sent_ < out_.size()) {
    const auto given = socket_.write(std::string_view(out_).substr(sent_));
    blocked_ = given.state == ByteSocket::State::kBlocked;
    over = given.state == ByteSocket::State::kOver;
    sent_ += given.octets;
    done += given.octets;
  }
  written += done;
  if (sent_ == out_.size()) {
    out_ = std::string();  // an idle client keeps no memory for it
    sent_ = 0;
    auto* leaving = std::get_if<ClientLeaving>(&phase);
    if (leaving != nullptr && !leaving->finished && !over) {
      leaving->finished = true;
      socket_.finish();
    }
  } else if (sent_ >= kWorthMoving && sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  return done;
}

void MailboxClient::cut(ClientEnd why) {
  if (end == ClientEnd::kClosed) end = why;
  over = true;
  out_ = std::string();
  sent_ = 0;
  socket_.abort();
}

}  // namespace peersock::adapters
