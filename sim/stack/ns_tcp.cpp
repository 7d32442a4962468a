#include "stack/ns_tcp.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <optional>
#include <utility>

#include <ns3/boolean.h>
#include <ns3/packet.h>
#include <ns3/simulator.h>
#include <ns3/tcp-congestion-ops.h>
#include <ns3/tcp-header.h>
#include <ns3/tcp-rx-buffer.h>
#include <ns3/tcp-socket-base.h>
#include <ns3/tcp-socket-factory.h>
#include <ns3/tcp-tx-buffer.h>
#include <ns3/uinteger.h>

#include "stack/ns_address.hpp"

namespace peersock::sim {
namespace {

using SocketPtr = ns3::Ptr<ns3::Socket>;
using State = ns3::TcpSocket::TcpStates_t;

/// What ns-3 does only for reasons of its own.
struct Reach : ns3::TcpSocketBase {
  static void reset(ns3::TcpSocketBase& socket) { (socket.*&Reach::SendRST)(); }
  static void acknowledge(ns3::TcpSocketBase& socket) {
    (socket.*&Reach::SendEmptyPacket)(ns3::TcpHeader::ACK);
  }
  /// What a connection takes over from its listener by copying it, 3.43 leaves partly undefined:
  /// whether TcpCubic is friendly to Reno is then whatever was in that memory before.
  static void define(ns3::TcpSocketBase& socket) {
    const auto control = socket.*&Reach::m_congestionControl;
    // 3.37 has no such thing.
    (void)control->SetAttributeFailSafe("TcpFriendliness", ns3::BooleanValue(true));
  }
  [[nodiscard]] static bool is_window_closed(const ns3::TcpSocketBase& socket) {
    return (socket.*&Reach::m_rWnd).Get() == 0;
  }
  /// With nothing to send to the peer's closed window, ns-3's probe of it would crash. And for the
  /// probe it has stopped to repeat the end.
  static void spare_probe(ns3::Ptr<ns3::TcpSocketBase> socket) {
    ns3::TcpSocketBase& own = *socket;
    const auto next = (own.*&Reach::m_tcb)->m_nextTxSequence.Get();
    auto& probe = own.*&Reach::m_persistEvent;
    if (probe.IsExpired() || own.GetTxBuffer()->SizeFromSequence(next) > 0) return;
    probe.Cancel();
    auto& repetition = own.*&Reach::m_retxEvent;
    if (!repetition.IsExpired()) return;
    repetition = ns3::Simulator::Schedule((own.*&Reach::m_rto).Get(), &Reach::ReTxTimeout, &own);
  }
  /// What `spare_probe` has called off, once there is something.
  static void probe(ns3::TcpSocketBase& socket) {
    if (is_window_closed(socket) && (socket.*&Reach::m_persistEvent).IsExpired()) {
      (socket.*&Reach::PersistTimeout)();
    }
  }
  static ns3::TcpRxBuffer& received(ns3::TcpSocketBase& socket) {
    return *(socket.*&Reach::m_tcb)->m_rxBuffer;
  }
};

/// ns-3 tells nobody that there is room again, and a sender whose last word was of less than a
/// segment waits for ever. So we do, as the kernel does, when so much has been read.
constexpr std::size_t kWindowUpdate = 32768;

/// What is given to ns-3 or taken from it at once. It keeps buffers for packets to come, all as
/// large as the largest one that it has ever seen.
constexpr std::size_t kPiece = 1428;
/// The same on loopback. ns-3 puts two of them together, which fits into what it keeps
/// (fill_packet_stores).
constexpr std::size_t kLocalPiece = 3800;

class NsTcp final : public StackTcp {
 public:
  NsTcp(const SocketPtr& socket, Family family, bool accepted, std::shared_ptr<NsKeeper> keeper)
      : family_(family),
        socket_(socket),
        keeper_(std::move(keeper)),
        bound_(accepted),
        connected_(accepted) {
    keeper_->keep(socket_);
    // Of this socket for as long as it lives, and of all that arrive at it.
    if (!accepted) {
      socket_->TraceConnectWithoutContext("Rx", ns3::MakeCallback(&NsTcp::window_seen));
    }
    watch();
    if (accepted) local_ = is_loopback(local());
  }
  ~NsTcp() override {
    ready_ = nullptr;
    *self_ = nullptr;
    unwatch();
    // What nobody has accepted is refused, as by a program that has gone.
    pending_.clear();
    socket_->Close();
  }
  NsTcp(const NsTcp&) = delete;
  NsTcp& operator=(const NsTcp&) = delete;
  NsTcp(NsTcp&&) = delete;
  NsTcp& operator=(NsTcp&&) = delete;

  void set_ready(std::function<void()> ready) override { ready_ = std::move(ready); }

  int bind(const SocketName& name) override {
    bound_ = true;
    return socket_->Bind(to_ns(name)) == 0 ? 0 : errno_of(socket_->GetErrno());
  }

  int connect(const SocketName& to) override {
    if (connecting_) return EALREADY;
    if (connected_) return EISCONN;
    if (!bound_) {
      if (const int error = bind(any_name(family_)); error != 0) return error;
    }
    connecting_ = true;
    if (is_loopback(to)) make_local();
    if (socket_->Connect(to_ns(to)) == 0) return EINPROGRESS;
    connecting_ = false;
    return errno_of(socket_->GetErrno());
  }

  int listen() override {
    if (std::exchange(listening_, true)) return 0;
    if (is_loopback(local())) make_local();
    socket_->SetAcceptCallback(ns3::MakeNullCallback<bool, SocketPtr, const ns3::Address&>(),
                               ns3::MakeBoundCallback(&NsTcp::arrived, self_));
    // Those that arrive inherit these, and would report their own end as this socket's, also when
    // it has gone.
    const auto nothing = ns3::MakeNullCallback<void, SocketPtr>();
    socket_->SetCloseCallbacks(nothing, nothing);
    unwatch_arrivals();
    return socket_->Listen() == 0 ? 0 : errno_of(socket_->GetErrno());
  }

  std::unique_ptr<StackTcp> accept() override {
    if (pending_.empty()) return nullptr;
    auto first = std::move(pending_.front());
    pending_.pop_front();
    return first;
  }

  [[nodiscard]] SocketName local() const override {
    ns3::Address address;
    if (!bound_ || socket_->GetSockName(address) != 0) return any_name(family_);
    return from_ns(address);
  }
  [[nodiscard]] SocketName peer() const override {
    ns3::Address address;
    if (!connected_ || socket_->GetPeerName(address) != 0) return any_name(family_);
    return from_ns(address);
  }

  [[nodiscard]] bool listening() const override { return listening_; }
  [[nodiscard]] bool acceptable() const override { return !pending_.empty(); }
  [[nodiscard]] bool connecting() const override { return connecting_; }
  [[nodiscard]] bool connected() const override { return connected_; }
  [[nodiscard]] int error() const override { return error_; }
  int take_error() override { return std::exchange(error_, 0); }

  [[nodiscard]] std::size_t room() const override {
    return connected_ && !finished_ && error_ == 0 ? socket_->GetTxAvailable() : 0;
  }

  int send(std::span<const std::uint8_t> octets) override {
    if (error_ != 0) return take_error();
    if (finished_ || broken_) return EPIPE;
    for (auto rest = octets; !rest.empty();) {
      const auto piece = rest.first(std::min(rest.size(), piece_size()));
      const auto packet =
          ns3::Create<ns3::Packet>(piece.data(), static_cast<std::uint32_t>(piece.size()));
      if (socket_->Send(packet, 0) < 0) return errno_of(socket_->GetErrno());
      rest = rest.subspan(piece.size());
    }
    Reach::probe(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
    return 0;
  }

  [[nodiscard]] std::size_t available() const override {
    return kept_.size() + socket_->GetRxAvailable();
  }
  [[nodiscard]] bool at_end() const override { return ended_ && available() == 0; }

  std::size_t receive(std::span<std::uint8_t> into, bool peek) override {
    take(into.size());
    announce_room();
    const std::size_t size = std::min(into.size(), kept_.size());
    std::copy_n(kept_.begin(), size, into.begin());
    if (!peek) kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }

  void shut_down_sending() override {
    if (std::exchange(finished_, true) || !connected_ || broken_) return;
    socket_->ShutdownSend();
  }

  void reset() override {
    if (!connected_ || broken_) return;
    unwatch();
    broken_ = true;
    Reach::reset(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
  }

 private:
  [[nodiscard]] std::size_t piece_size() const { return local_ ? kLocalPiece : kPiece; }

  /// Before there is a connection. Those that a listener accepts inherit it.
  void make_local() {
    local_ = true;
    socket_->SetAttribute("SegmentSize", ns3::UintegerValue(kLocalPiece));
  }

  /// Out of ns-3, until so much is kept here.
  void take(std::size_t wanted) {
    while (kept_.size() < wanted && socket_->GetRxAvailable() > 0) {
      const auto packet = socket_->Recv(
          static_cast<std::uint32_t>(std::min(piece_size(), wanted - kept_.size())), 0);
      if (!packet || packet->GetSize() == 0) break;
      const std::size_t before = kept_.size();
      kept_.resize(before + packet->GetSize());
      unannounced_ += packet->GetSize();
      packet->CopyData(kept_.data() + before, packet->GetSize());
    }
  }

  void watch() {
    socket_->SetConnectCallback(ns3::MakeCallback(&NsTcp::succeeded, this),
                                ns3::MakeCallback(&NsTcp::gave_up, this));
    socket_->SetCloseCallbacks(ns3::MakeCallback(&NsTcp::closed, this),
                               ns3::MakeCallback(&NsTcp::failed, this));
    socket_->SetRecvCallback(ns3::MakeCallback(&NsTcp::changed, this));
    socket_->SetSendCallback(ns3::MakeCallback(&NsTcp::emptied, this));
    socket_->TraceConnectWithoutContext("State", ns3::MakeCallback(&NsTcp::moved, this));
    socket_->TraceConnectWithoutContext("Rx", ns3::MakeCallback(&NsTcp::arriving, this));
  }
  void unwatch() {
    const auto nothing = ns3::MakeNullCallback<void, SocketPtr>();
    socket_->SetConnectCallback(nothing, nothing);
    socket_->SetCloseCallbacks(nothing, nothing);
    socket_->SetRecvCallback(nothing);
    socket_->SetSendCallback(ns3::MakeNullCallback<void, SocketPtr, std::uint32_t>());
    socket_->SetAcceptCallback(ns3::MakeNullCallback<bool, SocketPtr, const ns3::Address&>(),
                               ns3::MakeNullCallback<void, SocketPtr, const ns3::Address&>());
    socket_->TraceDisconnectWithoutContext("State", ns3::MakeCallback(&NsTcp::moved, this));
    unwatch_arrivals();
  }
  void unwatch_arrivals() {
    socket_->TraceDisconnectWithoutContext("Rx", ns3::MakeCallback(&NsTcp::arriving, this));
  }

  void announce_room() {
    if (unannounced_ < kWindowUpdate || broken_ || ended_) return;
    unannounced_ = 0;
    Reach::acknowledge(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
  }

  void notify() {
    if (ready_) ready_();
  }
  // ns-3 wants these very types, and compares them when it runs.
  // NOLINTBEGIN(performance-unnecessary-value-param)
  void succeeded(SocketPtr /*socket*/) {
    connecting_ = false;
    connected_ = true;
    notify();
  }
  void gave_up(SocketPtr /*socket*/) { break_with(ETIMEDOUT); }
  // Also called for a reset; `moved` tells those apart, right after.
  void closed(SocketPtr /*socket*/) {
    if (connecting_) return break_with(ECONNREFUSED);
    ended_ = true;
    notify();
  }
  // Too many packets were lost.
  void failed(SocketPtr /*socket*/) { break_with(ETIMEDOUT); }
  /// ns-3 starts to probe right after this.
  static void window_seen(ns3::Ptr<const ns3::Packet> /*octets*/, const ns3::TcpHeader& header,
                          ns3::Ptr<const ns3::TcpSocketBase> socket) {
    if (header.GetWindowSize() != 0 && !Reach::is_window_closed(*socket)) return;
    ns3::Simulator::ScheduleNow(&Reach::spare_probe, ns3::ConstCast<ns3::TcpSocketBase>(socket));
  }
  /// A segment, before ns-3 looks at it.
  void arriving(ns3::Ptr<const ns3::Packet> octets, const ns3::TcpHeader& header,
                ns3::Ptr<const ns3::TcpSocketBase> /*socket*/) {
    if ((header.GetFlags() & ns3::TcpHeader::FIN) == 0) return;
    end_ = header.GetSequenceNumber() + ns3::SequenceNumber32(octets->GetSize());
  }
  /// One that has ended itself takes the peer's end to be where the octets of the same segment
  /// begin. It would never acknowledge the end, nor take the acknowledgement of its own.
  void count_end() {
    auto& received = Reach::received(*ns3::DynamicCast<ns3::TcpSocketBase>(socket_));
    const auto next = received.NextRxSequence();
    if (end_ == next) received.SetNextRxSequence(next + ns3::SequenceNumber32(1));
  }
  // An orderly end goes through other states.
  void moved(State from, State to) {
    if (to == State::CLOSING || (from == State::FIN_WAIT_2 && to == State::TIME_WAIT)) count_end();
    if (to != State::CLOSED) return;
    if (from == State::SYN_SENT) return break_with(ECONNREFUSED);
    if (from == State::ESTABLISHED || from == State::CLOSE_WAIT || from == State::FIN_WAIT_1 ||
        from == State::FIN_WAIT_2) {
      break_with(ECONNRESET);
    }
  }
  void break_with(int error) {
    if (std::exchange(broken_, true)) return;
    connecting_ = false;
    error_ = error;
    ended_ = true;
    notify();
  }
  void changed(SocketPtr /*socket*/) {
    // ns-3 resets a connection whose both directions have ended while something waits to be read.
    if (finished_) take(SIZE_MAX);
    notify();
  }
  void emptied(SocketPtr /*socket*/, std::uint32_t /*room*/) { notify(); }
  // A connection that is being made has the function of its listener, also when that has gone.
  static void arrived(std::shared_ptr<NsTcp*> listener, SocketPtr socket,
                      const ns3::Address& /*from*/) {
    NsTcp* const self = *listener;
    auto& base = *ns3::DynamicCast<ns3::TcpSocketBase>(socket);
    if (self == nullptr) return Reach::reset(base);
    Reach::define(base);
    self->pending_.push_back(std::make_unique<NsTcp>(socket, self->family_, true, self->keeper_));
    self->notify();
  }
  // NOLINTEND(performance-unnecessary-value-param)

  Family family_;
  SocketPtr socket_;
  std::shared_ptr<NsKeeper> keeper_;
  std::shared_ptr<NsTcp*> self_ = std::make_shared<NsTcp*>(this);
  std::function<void()> ready_;
  std::deque<std::unique_ptr<StackTcp>> pending_;
  std::vector<std::uint8_t> kept_;  // taken out of ns-3, which knows no peeking
  std::size_t unannounced_ = 0;
  std::optional<ns3::SequenceNumber32> end_;  // of what the peer sends
  bool bound_;
  bool connected_;
  bool local_ = false;  // over loopback
  bool listening_ = false;
  bool connecting_ = false;
  bool finished_ = false;  // nothing more is sent
  bool ended_ = false;     // nothing more comes
  bool broken_ = false;
  int error_ = 0;
};

}  // namespace

std::unique_ptr<StackTcp> open_ns_tcp(const ns3::Ptr<ns3::Node>& node, Family family,
                                      std::shared_ptr<NsKeeper> keeper) {
  return std::make_unique<NsTcp>(
      ns3::Socket::CreateSocket(node, ns3::TcpSocketFactory::GetTypeId()), family, false,
      std::move(keeper));
}

}  // namespace peersock::sim
