#include "server_table.hpp"

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

constexpr const char* kExpected = R"(Serving Absent | connect | Serving | welcome {}
Serving Absent | disconnect | Serving |
Serving Absent | deadline | Serving |
Serving Absent | garbage | Serving |
Serving Absent | no type | Serving |
Serving Absent | unknown type | Serving |
Serving Absent | ping | Serving |
Serving Absent | bind | Serving |
Serving Absent | list | Serving |
Serving Absent | allocate | Serving |
Serving Absent | claim | Serving |
Serving Absent | claim nothing | Serving |
Serving Absent | release | Serving |
Serving Absent | release 4 | Serving |
Serving Absent | release 5 | Serving |
Serving Absent | open | Serving |
Serving Absent | open nothing | Serving |
Serving Absent | add | Serving |
Serving Absent | add nothing | Serving |
Serving Absent | close | Serving |
Serving Absent | close box | Serving |
Serving Absent | close other | Serving |
Serving Unbound | connect | Serving |
Serving Unbound | disconnect | Serving |
Serving Unbound | deadline | Serving |
Serving Unbound | garbage | Serving | error the message is not JSON
Serving Unbound | no type | Serving | error missing 'type'
Serving Unbound | unknown type | Serving | error must bind first
Serving Unbound | ping | Serving | pong 1
Serving Unbound | bind | Serving |
Serving Unbound | list | Serving | error must bind first
Serving Unbound | allocate | Serving | error must bind first
Serving Unbound | claim | Serving | error must bind first
Serving Unbound | claim nothing | Serving | error must bind first
Serving Unbound | release | Serving | error must bind first
Serving Unbound | release 4 | Serving | error must bind first
Serving Unbound | release 5 | Serving | error must bind first
Serving Unbound | open | Serving | error must bind first
Serving Unbound | open nothing | Serving | error must bind first
Serving Unbound | add | Serving | error must bind first
Serving Unbound | add nothing | Serving | error must bind first
Serving Unbound | close | Serving | error must bind first
Serving Unbound | close box | Serving | error must bind first
Serving Unbound | close other | Serving | error must bind first
Serving Bound | connect | Serving |
Serving Bound | disconnect | Serving |
Serving Bound | deadline | Serving |
Serving Bound | garbage | Serving | error the message is not JSON
Serving Bound | no type | Serving | error missing 'type'
Serving Bound | unknown type | Serving | error unknown type
Serving Bound | ping | Serving | pong 1
Serving Bound | bind | Serving | error already bound
Serving Bound | list | Serving | nameplates
Serving Bound | allocate | Serving | allocated
Serving Bound | claim | Serving | claimed
Serving Bound | claim nothing | Serving | error claim requires 'nameplate'
Serving Bound | release | Serving | error release without nameplate must follow claim
Serving Bound | release 4 | Serving | released
Serving Bound | release 5 | Serving | released
Serving Bound | open | Serving |
Serving Bound | open nothing | Serving | error open requires 'mailbox'
Serving Bound | add | Serving | error must open mailbox before adding
Serving Bound | add nothing | Serving | error must open mailbox before adding
Serving Bound | close | Serving | error close without mailbox must follow open
Serving Bound | close box | Serving | closed
Serving Bound | close other | Serving | closed
Serving Allocated | connect | Serving |
Serving Allocated | disconnect | Serving |
Serving Allocated | deadline | Serving |
Serving Allocated | garbage | Serving | error the message is not JSON
Serving Allocated | no type | Serving | error missing 'type'
Serving Allocated | unknown type | Serving | error unknown type
Serving Allocated | ping | Serving | pong 1
Serving Allocated | bind | Serving | error already bound
Serving Allocated | list | Serving | nameplates 3
Serving Allocated | allocate | Serving | error you already allocated one, don't be greedy
Serving Allocated | claim | Serving | claimed
Serving Allocated | claim nothing | Serving | error claim requires 'nameplate'
Serving Allocated | release | Serving | error release without nameplate must follow claim
Serving Allocated | release 4 | Serving | released
Serving Allocated | release 5 | Serving | released
Serving Allocated | open | Serving |
Serving Allocated | open nothing | Serving | error open requires 'mailbox'
Serving Allocated | add | Serving | error must open mailbox before adding
Serving Allocated | add nothing | Serving | error must open mailbox before adding
Serving Allocated | close | Serving | error close without mailbox must follow open
Serving Allocated | close box | Serving | closed
Serving Allocated | close other | Serving | closed
Serving Claimed | connect | Serving |
Serving Claimed | disconnect | Serving |
Serving Claimed | deadline | Serving |
Serving Claimed | garbage | Serving | error the message is not JSON
Serving Claimed | no type | Serving | error missing 'type'
Serving Claimed | unknown type | Serving | error unknown type
Serving Claimed | ping | Serving | pong 1
Serving Claimed | bind | Serving | error already bound
Serving Claimed | list | Serving | nameplates 4
Serving Claimed | allocate | Serving | allocated
Serving Claimed | claim | Serving | error only one claim per connection
Serving Claimed | claim nothing | Serving | error claim requires 'nameplate'
Serving Claimed | release | Serving | released
Serving Claimed | release 4 | Serving | released
Serving Claimed | release 5 | Serving | error release and claim must use same nameplate
Serving Claimed | open | Serving |
Serving Claimed | open nothing | Serving | error open requires 'mailbox'
Serving Claimed | add | Serving | error must open mailbox before adding
Serving Claimed | add nothing | Serving | error must open mailbox before adding
Serving Claimed | close | Serving | error close without mailbox must follow open
Serving Claimed | close box | Serving | closed
Serving Claimed | close other | Serving | closed
Serving ClaimRefused | connect | Serving |
Serving ClaimRefused | disconnect | Serving |
Serving ClaimRefused | deadline | Serving |
Serving ClaimRefused | garbage | Serving | error the message is not JSON
Serving ClaimRefused | no type | Serving | error missing 'type'
Serving ClaimRefused | unknown type | Serving | error unknown type
Serving ClaimRefused | ping | Serving | pong 1
Serving ClaimRefused | bind | Serving | error already bound
Serving ClaimRefused | list | Serving | nameplates 4
Serving ClaimRefused | allocate | Serving | allocated
Serving ClaimRefused | claim | Serving | error only one claim per connection
Serving ClaimRefused | claim nothing | Serving | error claim requires 'nameplate'
Serving ClaimRefused | release | Serving | released
Serving ClaimRefused | release 4 | Serving | released
Serving ClaimRefused | release 5 | Serving | error release and claim must use same nameplate
Serving ClaimRefused | open | Serving |
Serving ClaimRefused | open nothing | Serving | error open requires 'mailbox'
Serving ClaimRefused | add | Serving | error must open mailbox before adding
Serving ClaimRefused | add nothing | Serving | error must open mailbox before adding
Serving ClaimRefused | close | Serving | error close without mailbox must follow open
Serving ClaimRefused | close box | Serving | closed
Serving ClaimRefused | close other | Serving | closed
Serving Released | connect | Serving |
Serving Released | disconnect | Serving |
Serving Released | deadline | Serving |
Serving Released | garbage | Serving | error the message is not JSON
Serving Released | no type | Serving | error missing 'type'
Serving Released | unknown type | Serving | error unknown type
Serving Released | ping | Serving | pong 1
Serving Released | bind | Serving | error already bound
Serving Released | list | Serving | nameplates
Serving Released | allocate | Serving | allocated
Serving Released | claim | Serving | error only one claim per connection
Serving Released | claim nothing | Serving | error claim requires 'nameplate'
Serving Released | release | Serving | error only one release per connection
Serving Released | release 4 | Serving | error only one release per connection
Serving Released | release 5 | Serving | error only one release per connection
Serving Released | open | Serving |
Serving Released | open nothing | Serving | error open requires 'mailbox'
Serving Released | add | Serving | error must open mailbox before adding
Serving Released | add nothing | Serving | error must open mailbox before adding
Serving Released | close | Serving | error close without mailbox must follow open
Serving Released | close box | Serving | closed
Serving Released | close other | Serving | closed
Serving Open | connect | Serving |
Serving Open | disconnect | Serving |
Serving Open | deadline | Serving |
Serving Open | garbage | Serving | error the message is not JSON
Serving Open | no type | Serving | error missing 'type'
Serving Open | unknown type | Serving | error unknown type
Serving Open | ping | Serving | pong 1
Serving Open | bind | Serving | error already bound
Serving Open | list | Serving | nameplates
Serving Open | allocate | Serving | allocated
Serving Open | claim | Serving | claimed
Serving Open | claim nothing | Serving | error claim requires 'nameplate'
Serving Open | release | Serving | error release without nameplate must follow claim
Serving Open | release 4 | Serving | released
Serving Open | release 5 | Serving | released
Serving Open | open | Serving | error only one open per connection
Serving Open | open nothing | Serving | error only one open per connection
Serving Open | add | Serving | message a p 00
Serving Open | add nothing | Serving | error missing 'phase'
Serving Open | close | Serving | closed
Serving Open | close box | Serving | closed
Serving Open | close other | Serving | error open and close must use same mailbox
Serving OpenRefused | connect | Serving |
Serving OpenRefused | disconnect | Serving |
Serving OpenRefused | deadline | Serving |
Serving OpenRefused | garbage | Serving | error the message is not JSON
Serving OpenRefused | no type | Serving | error missing 'type'
Serving OpenRefused | unknown type | Serving | error unknown type
Serving OpenRefused | ping | Serving | pong 1
Serving OpenRefused | bind | Serving | error already bound
Serving OpenRefused | list | Serving | nameplates
Serving OpenRefused | allocate | Serving | allocated
Serving OpenRefused | claim | Serving | claimed
Serving OpenRefused | claim nothing | Serving | error claim requires 'nameplate'
Serving OpenRefused | release | Serving | error release without nameplate must follow claim
Serving OpenRefused | release 4 | Serving | released
Serving OpenRefused | release 5 | Serving | released
Serving OpenRefused | open | Serving | error crowded
Serving OpenRefused | open nothing | Serving | error open requires 'mailbox'
Serving OpenRefused | add | Serving | error must open mailbox before adding
Serving OpenRefused | add nothing | Serving | error must open mailbox before adding
Serving OpenRefused | close | Serving | error crowded
Serving OpenRefused | close box | Serving | error crowded
Serving OpenRefused | close other | Serving | error open and close must use same mailbox
Serving Lingering | connect | Serving |
Serving Lingering | disconnect | Serving |
Serving Lingering | deadline | Serving |
Serving Lingering | garbage | Serving | error the message is not JSON
Serving Lingering | no type | Serving | error missing 'type'
Serving Lingering | unknown type | Serving | error unknown type
Serving Lingering | ping | Serving | pong 1
Serving Lingering | bind | Serving | error already bound
Serving Lingering | list | Serving | nameplates
Serving Lingering | allocate | Serving | allocated
Serving Lingering | claim | Serving | claimed
Serving Lingering | claim nothing | Serving | error claim requires 'nameplate'
Serving Lingering | release | Serving | error release without nameplate must follow claim
Serving Lingering | release 4 | Serving | released
Serving Lingering | release 5 | Serving | released
Serving Lingering | open | Serving | error only one open per connection
Serving Lingering | open nothing | Serving | error only one open per connection
Serving Lingering | add | Serving |
Serving Lingering | add nothing | Serving | error missing 'phase'
Serving Lingering | close | Serving | closed
Serving Lingering | close box | Serving | closed
Serving Lingering | close other | Serving | error open and close must use same mailbox
Serving Closed | connect | Serving |
Serving Closed | disconnect | Serving |
Serving Closed | deadline | Serving |
Serving Closed | garbage | Serving | error the message is not JSON
Serving Closed | no type | Serving | error missing 'type'
Serving Closed | unknown type | Serving | error unknown type
Serving Closed | ping | Serving | pong 1
Serving Closed | bind | Serving | error already bound
Serving Closed | list | Serving | nameplates
Serving Closed | allocate | Serving | allocated
Serving Closed | claim | Serving | claimed
Serving Closed | claim nothing | Serving | error claim requires 'nameplate'
Serving Closed | release | Serving | error release without nameplate must follow claim
Serving Closed | release 4 | Serving | released
Serving Closed | release 5 | Serving | released
Serving Closed | open | Serving |
Serving Closed | open nothing | Serving | error open requires 'mailbox'
Serving Closed | add | Serving | error must open mailbox before adding
Serving Closed | add nothing | Serving | error must open mailbox before adding
Serving Closed | close | Serving | error only one close per connection
Serving Closed | close box | Serving | error only one close per connection
Serving Closed | close other | Serving | error only one close per connection
)";

TEST(ServerTable, IsAsWritten) {
  EXPECT_EQ(to_text(server_table()), kExpected);
}

}  // namespace
}  // namespace peersock::testing
