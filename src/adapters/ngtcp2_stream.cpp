#include "adapters/ngtcp2_stream.hpp"

#include <algorithm>

namespace peersock::adapters {

Ngtcp2Stream::~Ngtcp2Stream() {
  budget_.give_back(shared_part(out_.size()));
}

void Ngtcp2Stream::on_data(ByteView octets, bool end) {
  if (discards_ || reset_code_) return;
  in_.append(octets);
  end_received_ = end_received_ || end;
}

std::size_t Ngtcp2Stream::on_reset(std::uint64_t code) {
  reset_code_ = code;
  const std::size_t unread = in_.size();
  in_.clear();
  return unread;
}

quic::ReadOutcome Ngtcp2Stream::read(MutableBytes into) {
  quic::ReadOutcome outcome;
  if (discards_) return outcome;
  if (reset_code_) {
    outcome.reset = reset_code_;
    receive_ended_ = true;
    return outcome;
  }
  if (into.empty()) return outcome;
  outcome.octets = in_.take(into);
  if (outcome.octets == 0 && end_received_) outcome.end = receive_ended_ = true;
  return outcome;
}

std::size_t Ngtcp2Stream::discard() {
  discards_ = true;
  const std::size_t unread = in_.size();
  in_.clear();
  return unread;
}

std::size_t Ngtcp2Stream::shared_part(std::size_t held) {
  return held - std::min(held, SendBudget::kGuaranteed);
}

std::size_t Ngtcp2Stream::room() const {
  const std::size_t held = out_.size();
  const std::size_t mine = std::max(held, SendBudget::kGuaranteed);
  const std::size_t limit = std::min(budget_.window(), mine + budget_.free());
  const std::size_t buffer_room = limit > held ? limit - held : 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(buffer_room, credit_ - written_));
}

void Ngtcp2Stream::account(std::size_t held_before) {
  const std::size_t before = shared_part(held_before);
  const std::size_t now = shared_part(out_.size());
  if (now > before) budget_.take(now - before);
  if (now < before) budget_.give_back(before - now);
}

std::size_t Ngtcp2Stream::capacity() {
  if (send_ended_) return 0;
  const std::size_t octets = room();
  if (octets == 0) wait();
  return octets;
}

std::size_t Ngtcp2Stream::write(ByteView from) {
  if (send_ended_ || from.empty()) return 0;
  const std::size_t taken = std::min(from.size(), room());
  const std::size_t held = out_.size();
  out_.append(from.first(taken));
  written_ += taken;
  account(held);
  if (taken < from.size()) wait();
  return taken;
}

void Ngtcp2Stream::end_sending(bool fin) {
  if (!fin) sends_ = false;
  if (send_ended_) return;
  send_ended_ = true;
  fin_waits_ = fin;
  waits_ = Waits::kNo;
}

bool Ngtcp2Stream::next_output(std::span<ByteView> into, std::size_t& count) const {
  count = out_.peek(into);
  std::size_t octets = 0;
  for (std::size_t i = 0; i < count; ++i) octets += into[i].size();
  return fin_waits_ && octets == out_.ahead();
}

void Ngtcp2Stream::on_sent(std::size_t octets, bool fin) {
  out_.advance(octets);
  if (fin && out_.ahead() == 0) fin_waits_ = false;
}

bool Ngtcp2Stream::on_acknowledged(std::uint64_t offset) {
  if (offset > acknowledged_) {
    const std::size_t held = out_.size();
    out_.drop(static_cast<std::size_t>(offset - acknowledged_));
    acknowledged_ = offset;
    account(held);
  }
  if (waits_ != Waits::kForRoom) return false;
  // Woken for some room at once: a write for every acknowledged packet would be a waste.
  constexpr std::size_t kWorthAWrite = SendBudget::kGuaranteed / 2;
  const std::size_t octets = room();
  if (octets == 0) wait();
  if (octets == 0 || (octets < kWorthAWrite && out_.size() > 0)) return false;
  waits_ = Waits::kNo;
  return true;
}

bool Ngtcp2Stream::on_credit(std::uint64_t limit) {
  credit_ = std::max(credit_, limit);
  if (waits_ != Waits::kForCredit || credit_ == written_) return false;
  waits_ = Waits::kNo;
  return true;
}

void Ngtcp2Stream::on_closed() {
  closed_ = true;
  const std::size_t held = out_.size();
  out_.clear();
  account(held);
  abandon();
}

}  // namespace peersock::adapters
