#include "client_table.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

// State, input, next state, outputs. A state's remark in brackets says what the link does.
constexpr std::string_view kExpected = R"table(
Idle | Started | Claiming | CodeReady OpenLink
Idle | LinkUp | Idle |
Idle | LinkLost | Idle |
Idle | FrameReceived (welcome) | Idle |
Idle | FrameReceived (allocated) | Idle |
Idle | FrameReceived (claimed) | Idle |
Idle | FrameReceived (released) | Idle |
Idle | FrameReceived (closed) | Idle |
Idle | FrameReceived (pong) | Idle |
Idle | FrameReceived (error) | Idle |
Idle | FrameReceived (no JSON) | Idle |
Idle | FrameReceived (our pake) | Idle |
Idle | FrameReceived (peer's pake) | Idle |
Idle | FrameReceived (peer's version) | Idle |
Idle | FrameReceived (peer's first payload) | Idle |
Idle | FrameReceived (third side) | Idle |
Idle | PayloadQueued | Idle |
Idle | CloseRequested | Done | Closed
Idle | DeadlineReached | Idle |
Allocating | Started | Allocating |
Allocating | LinkUp | Allocating |
Allocating | LinkLost | Allocating | Warned
Allocating | FrameReceived (welcome) | Allocating |
Allocating | FrameReceived (allocated) | Claiming | SendFrame CodeReady
Allocating | FrameReceived (claimed) | Allocating |
Allocating | FrameReceived (released) | Allocating |
Allocating | FrameReceived (closed) | Allocating |
Allocating | FrameReceived (pong) | Allocating |
Allocating | FrameReceived (error) | Done | CloseLink Failed
Allocating | FrameReceived (no JSON) | Done | CloseLink Failed
Allocating | FrameReceived (our pake) | Allocating |
Allocating | FrameReceived (peer's pake) | Allocating |
Allocating | FrameReceived (peer's version) | Allocating |
Allocating | FrameReceived (peer's first payload) | Allocating |
Allocating | FrameReceived (third side) | Allocating |
Allocating | PayloadQueued | Allocating |
Allocating | CloseRequested | Done | CloseLink Closed
Allocating | DeadlineReached | Done | CloseLink Failed
Allocating (link down) | Started | Allocating |
Allocating (link down) | LinkUp | Allocating |
Allocating (link down) | LinkLost | Allocating |
Allocating (link down) | FrameReceived (welcome) | Allocating |
Allocating (link down) | FrameReceived (allocated) | Allocating |
Allocating (link down) | FrameReceived (claimed) | Allocating |
Allocating (link down) | FrameReceived (released) | Allocating |
Allocating (link down) | FrameReceived (closed) | Allocating |
Allocating (link down) | FrameReceived (pong) | Allocating |
Allocating (link down) | FrameReceived (error) | Allocating |
Allocating (link down) | FrameReceived (no JSON) | Allocating |
Allocating (link down) | FrameReceived (our pake) | Allocating |
Allocating (link down) | FrameReceived (peer's pake) | Allocating |
Allocating (link down) | FrameReceived (peer's version) | Allocating |
Allocating (link down) | FrameReceived (peer's first payload) | Allocating |
Allocating (link down) | FrameReceived (third side) | Allocating |
Allocating (link down) | PayloadQueued | Allocating |
Allocating (link down) | CloseRequested | Done | Closed
Allocating (link down) | DeadlineReached | Done | Failed
Claiming | Started | Claiming |
Claiming | LinkUp | Claiming |
Claiming | LinkLost | Claiming | Warned
Claiming | FrameReceived (welcome) | Claiming |
Claiming | FrameReceived (allocated) | Claiming |
Claiming | FrameReceived (claimed) | Opening | SendFrame SendFrame
Claiming | FrameReceived (released) | Claiming |
Claiming | FrameReceived (closed) | Claiming |
Claiming | FrameReceived (pong) | Claiming |
Claiming | FrameReceived (error) | Done | SendFrame CloseLink Failed
Claiming | FrameReceived (no JSON) | Done | SendFrame CloseLink Failed
Claiming | FrameReceived (our pake) | Claiming |
Claiming | FrameReceived (peer's pake) | Claiming |
Claiming | FrameReceived (peer's version) | Claiming |
Claiming | FrameReceived (peer's first payload) | Claiming |
Claiming | FrameReceived (third side) | Claiming |
Claiming | PayloadQueued | Claiming |
Claiming | CloseRequested | Closing | SendFrame
Claiming | DeadlineReached | Done | SendFrame CloseLink Failed
Claiming (connecting) | Started | Claiming |
Claiming (connecting) | LinkUp | Claiming | SendFrame SendFrame
Claiming (connecting) | LinkLost | Claiming | Warned
Claiming (connecting) | FrameReceived (welcome) | Claiming |
Claiming (connecting) | FrameReceived (allocated) | Claiming |
Claiming (connecting) | FrameReceived (claimed) | Claiming |
Claiming (connecting) | FrameReceived (released) | Claiming |
Claiming (connecting) | FrameReceived (closed) | Claiming |
Claiming (connecting) | FrameReceived (pong) | Claiming |
Claiming (connecting) | FrameReceived (error) | Claiming |
Claiming (connecting) | FrameReceived (no JSON) | Claiming |
Claiming (connecting) | FrameReceived (our pake) | Claiming |
Claiming (connecting) | FrameReceived (peer's pake) | Claiming |
Claiming (connecting) | FrameReceived (peer's version) | Claiming |
Claiming (connecting) | FrameReceived (peer's first payload) | Claiming |
Claiming (connecting) | FrameReceived (third side) | Claiming |
Claiming (connecting) | PayloadQueued | Claiming |
Claiming (connecting) | CloseRequested | Done | CloseLink Closed
Claiming (connecting) | DeadlineReached | Done | CloseLink Failed
Opening | Started | Opening |
Opening | LinkUp | Opening |
Opening | LinkLost | Opening | Warned
Opening | FrameReceived (welcome) | Opening |
Opening | FrameReceived (allocated) | Opening |
Opening | FrameReceived (claimed) | Opening |
Opening | FrameReceived (released) | Opening |
Opening | FrameReceived (closed) | Opening |
Opening | FrameReceived (pong) | Opening |
Opening | FrameReceived (error) | Done | SendFrame SendFrame CloseLink Failed
Opening | FrameReceived (no JSON) | Done | SendFrame SendFrame CloseLink Failed
Opening | FrameReceived (our pake) | AwaitPake |
Opening | FrameReceived (peer's pake) | AwaitVersion | SendFrame SendFrame PeerSeen
Opening | FrameReceived (peer's version) | Opening |
Opening | FrameReceived (peer's first payload) | Opening |
Opening | FrameReceived (third side) | Opening |
Opening | PayloadQueued | Opening |
Opening | CloseRequested | Closing | SendFrame SendFrame
Opening | DeadlineReached | Done | SendFrame SendFrame CloseLink Failed
AwaitPake | Started | AwaitPake |
AwaitPake | LinkUp | AwaitPake |
AwaitPake | LinkLost | AwaitPake | Warned
AwaitPake | FrameReceived (welcome) | AwaitPake |
AwaitPake | FrameReceived (allocated) | AwaitPake |
AwaitPake | FrameReceived (claimed) | AwaitPake |
AwaitPake | FrameReceived (released) | AwaitPake |
AwaitPake | FrameReceived (closed) | AwaitPake |
AwaitPake | FrameReceived (pong) | AwaitPake |
AwaitPake | FrameReceived (error) | Done | SendFrame SendFrame CloseLink Failed
AwaitPake | FrameReceived (no JSON) | Done | SendFrame SendFrame CloseLink Failed
AwaitPake | FrameReceived (our pake) | AwaitPake |
AwaitPake | FrameReceived (peer's pake) | AwaitVersion | SendFrame SendFrame PeerSeen
AwaitPake | FrameReceived (peer's version) | AwaitPake |
AwaitPake | FrameReceived (peer's first payload) | AwaitPake |
AwaitPake | FrameReceived (third side) | AwaitPake |
AwaitPake | PayloadQueued | AwaitPake |
AwaitPake | CloseRequested | Closing | SendFrame SendFrame
AwaitPake | DeadlineReached | AwaitPake | SendFrame
AwaitPake (link down) | Started | AwaitPake |
AwaitPake (link down) | LinkUp | AwaitPake |
AwaitPake (link down) | LinkLost | AwaitPake |
AwaitPake (link down) | FrameReceived (welcome) | AwaitPake |
AwaitPake (link down) | FrameReceived (allocated) | AwaitPake |
AwaitPake (link down) | FrameReceived (claimed) | AwaitPake |
AwaitPake (link down) | FrameReceived (released) | AwaitPake |
AwaitPake (link down) | FrameReceived (closed) | AwaitPake |
AwaitPake (link down) | FrameReceived (pong) | AwaitPake |
AwaitPake (link down) | FrameReceived (error) | AwaitPake |
AwaitPake (link down) | FrameReceived (no JSON) | AwaitPake |
AwaitPake (link down) | FrameReceived (our pake) | AwaitPake |
AwaitPake (link down) | FrameReceived (peer's pake) | AwaitPake |
AwaitPake (link down) | FrameReceived (peer's version) | AwaitPake |
AwaitPake (link down) | FrameReceived (peer's first payload) | AwaitPake |
AwaitPake (link down) | FrameReceived (third side) | AwaitPake |
AwaitPake (link down) | PayloadQueued | AwaitPake |
AwaitPake (link down) | CloseRequested | Closing | OpenLink
AwaitPake (link down) | DeadlineReached | AwaitPake | OpenLink
AwaitVersion | Started | AwaitVersion |
AwaitVersion | LinkUp | AwaitVersion |
AwaitVersion | LinkLost | AwaitVersion | Warned
AwaitVersion | FrameReceived (welcome) | AwaitVersion |
AwaitVersion | FrameReceived (allocated) | AwaitVersion |
AwaitVersion | FrameReceived (claimed) | AwaitVersion |
AwaitVersion | FrameReceived (released) | AwaitVersion |
AwaitVersion | FrameReceived (closed) | AwaitVersion |
AwaitVersion | FrameReceived (pong) | AwaitVersion |
AwaitVersion | FrameReceived (error) | Done | SendFrame CloseLink Failed
AwaitVersion | FrameReceived (no JSON) | Done | SendFrame CloseLink Failed
AwaitVersion | FrameReceived (our pake) | AwaitVersion |
AwaitVersion | FrameReceived (peer's pake) | AwaitVersion |
AwaitVersion | FrameReceived (peer's version) | Verified | PeerVerified
AwaitVersion | FrameReceived (peer's first payload) | AwaitVersion |
AwaitVersion | FrameReceived (third side) | Done | SendFrame CloseLink Failed
AwaitVersion | PayloadQueued | AwaitVersion | SendFrame
AwaitVersion | CloseRequested | Closing | SendFrame
AwaitVersion | DeadlineReached | AwaitVersion | CloseLink Warned
Verified | Started | Verified |
Verified | LinkUp | Verified |
Verified | LinkLost | Verified | Warned
Verified | FrameReceived (welcome) | Verified |
Verified | FrameReceived (allocated) | Verified |
Verified | FrameReceived (claimed) | Verified |
Verified | FrameReceived (released) | Verified |
Verified | FrameReceived (closed) | Verified |
Verified | FrameReceived (pong) | Verified |
Verified | FrameReceived (error) | Done | SendFrame CloseLink Failed
Verified | FrameReceived (no JSON) | Done | SendFrame CloseLink Failed
Verified | FrameReceived (our pake) | Verified |
Verified | FrameReceived (peer's pake) | Verified |
Verified | FrameReceived (peer's version) | Verified |
Verified | FrameReceived (peer's first payload) | Verified | PayloadReceived
Verified | FrameReceived (third side) | Done | SendFrame CloseLink Failed
Verified | PayloadQueued | Verified | SendFrame
Verified | CloseRequested | Closing | SendFrame
Verified | DeadlineReached | Verified | CloseLink Warned
Verified (link down) | Started | Verified |
Verified (link down) | LinkUp | Verified |
Verified (link down) | LinkLost | Verified |
Verified (link down) | FrameReceived (welcome) | Verified |
Verified (link down) | FrameReceived (allocated) | Verified |
Verified (link down) | FrameReceived (claimed) | Verified |
Verified (link down) | FrameReceived (released) | Verified |
Verified (link down) | FrameReceived (closed) | Verified |
Verified (link down) | FrameReceived (pong) | Verified |
Verified (link down) | FrameReceived (error) | Verified |
Verified (link down) | FrameReceived (no JSON) | Verified |
Verified (link down) | FrameReceived (our pake) | Verified |
Verified (link down) | FrameReceived (peer's pake) | Verified |
Verified (link down) | FrameReceived (peer's version) | Verified |
Verified (link down) | FrameReceived (peer's first payload) | Verified |
Verified (link down) | FrameReceived (third side) | Verified |
Verified (link down) | PayloadQueued | Verified |
Verified (link down) | CloseRequested | Closing | OpenLink
Verified (link down) | DeadlineReached | Verified | OpenLink
Closing | Started | Closing |
Closing | LinkUp | Closing |
Closing | LinkLost | Done | Closed
Closing | FrameReceived (welcome) | Closing |
Closing | FrameReceived (allocated) | Closing |
Closing | FrameReceived (claimed) | Closing |
Closing | FrameReceived (released) | Closing |
Closing | FrameReceived (closed) | Done | CloseLink Closed
Closing | FrameReceived (pong) | Closing |
Closing | FrameReceived (error) | Done | CloseLink Closed
Closing | FrameReceived (no JSON) | Done | CloseLink Closed
Closing | FrameReceived (our pake) | Closing |
Closing | FrameReceived (peer's pake) | Closing |
Closing | FrameReceived (peer's version) | Closing |
Closing | FrameReceived (peer's first payload) | Closing |
Closing | FrameReceived (third side) | Closing |
Closing | PayloadQueued | Closing |
Closing | CloseRequested | Closing |
Closing | DeadlineReached | Done | CloseLink Closed
Done | Started | Done |
Done | LinkUp | Done |
Done | LinkLost | Done |
Done | FrameReceived (welcome) | Done |
Done | FrameReceived (allocated) | Done |
Done | FrameReceived (claimed) | Done |
Done | FrameReceived (released) | Done |
Done | FrameReceived (closed) | Done |
Done | FrameReceived (pong) | Done |
Done | FrameReceived (error) | Done |
Done | FrameReceived (no JSON) | Done |
Done | FrameReceived (our pake) | Done |
Done | FrameReceived (peer's pake) | Done |
Done | FrameReceived (peer's version) | Done |
Done | FrameReceived (peer's first payload) | Done |
Done | FrameReceived (third side) | Done |
Done | PayloadQueued | Done |
Done | CloseRequested | Done |
Done | DeadlineReached | Done |
)table";

TEST(ClientTable, EveryInputInEveryState) {
  EXPECT_EQ(to_text(client_table()), kExpected.substr(1));
}

}  // namespace
}  // namespace peersock::testing
