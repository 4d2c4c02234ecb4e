// SPDX-License-Identifier: Apache-2.0
// The handler's calls beside next_rendezvous: questions, closing, heartbeats.
#include <gtest/gtest.h>

#include "rendezvous_program.hpp"

namespace muster::core::rendezvous::testing {
namespace {

TEST(RendezvousHandler, T31_OnlyTheWaitListCounts) {
    Pair pair(settings_of(1, 2));
    Program third(2, settings_of(1, 2), pair.backend), fourth(3, settings_of(1, 2), pair.backend);
    third.run(Call::next_rendezvous, 1);
    EXPECT_EQ(value(pair.two.handler->num_nodes_waiting(at(1))), 0U);
    EXPECT_EQ(lists(pair.two.handler->state()), "n0=0 n1=1 | | n2");
    pair.one.run(Call::next_rendezvous, 2);
    EXPECT_EQ(value(pair.two.handler->num_nodes_waiting(at(2))), 1U);
    fourth.run(Call::next_rendezvous, 2);
    EXPECT_EQ(value(pair.two.handler->num_nodes_waiting(at(2))), 2U);
}

TEST(RendezvousHandler, T31_QuestionsSyncFirstAndTheirErrorsAreRecorded) {
    Pair pair(settings_of(2, 2));
    EXPECT_FALSE(value(pair.two.handler->is_closed(at(1))));
    pair.one.run(Call::set_closed, 1);
    EXPECT_TRUE(value(pair.two.handler->is_closed(at(1))));
    pair.backend.replace({});
    const auto answer = pair.two.handler->is_closed(at(1));
    EXPECT_EQ(std::get<Failure>(answer.value).kind, Failure::corrupt_state);
    EXPECT_EQ(answer.events.at(0).message,
              "RendezvousStateError: The rendezvous state is corrupt. See inner exception for details.");
    EXPECT_EQ(answer.events.at(0).outlook, Outlook::failed);
    EXPECT_EQ(std::get<Failure>(pair.two.handler->num_nodes_waiting(at(1)).value).kind, Failure::corrupt_state);
}

TEST(RendezvousHandler, T32_SetClosedMayBeRepeatedAndRaises) {
    Pair pair(settings_of(2, 2));
    for (int i = 0; i < 2; ++i) {
        pair.one.run(Call::set_closed, 1);
        EXPECT_TRUE(pair.one.last<effect::Returned>().value);
        EXPECT_EQ(pair.one.last_record(),
                  "handler.close SUCCEEDED: The node 'n0_100_0' has closed the rendezvous 'job'.");
    }
    EXPECT_TRUE(pair.one.handler->state().closed);
    pair.backend.disconnect(true);
    pair.one.run(Call::set_closed, 1);
    EXPECT_EQ(pair.one.last<effect::Raised>().failure.kind, Failure::connection);
    EXPECT_EQ(pair.one.last_record().rfind("handler.set_closed FAILED: RendezvousConnectionError: ", 0), 0U);
}

TEST(RendezvousHandler, T32_ClosingIsBoundedByItsTimeout) {
    Pair pair(settings_of(2, 2));
    pair.one.begin(Call::set_closed, 100);
    pair.one.step(Call::set_closed, 130.5);
    EXPECT_EQ(pair.one.last<effect::Raised>().failure.kind, Failure::timed_out);
    pair.one.begin(Call::set_closed, 200);
    pair.one.go_on(Call::set_closed, 230);
    EXPECT_TRUE(pair.one.last<effect::Returned>().value);
}

TEST(RendezvousHandler, T32_ShutdownStopsHeartbeatsAndNeverRaises) {
    Pair pair(settings_of(2, 2));
    pair.one.begin(Call::shutdown, 1);
    EXPECT_TRUE(std::holds_alternative<effect::StopHeartbeats>(pair.one.effects.back()));
    pair.one.go_on(Call::shutdown, 1);
    EXPECT_TRUE(pair.one.last<effect::Returned>().value);
    const auto effects = pair.one.effects.size();
    pair.backend.disconnect(true);
    pair.one.run(Call::shutdown, 2);
    EXPECT_EQ(pair.one.effects.size(), effects + 1);  // The timer was stopped already.
    EXPECT_FALSE(pair.one.last<effect::Returned>().value);
    EXPECT_EQ(
        pair.one.last_record(),
        "handler.shutdown FAILED: The node 'n0_100_0' has failed to shutdown the rendezvous 'job' due to an error "
        "of type RendezvousConnectionError.");
}

TEST(RendezvousHandler, T33_AHeartbeatTick) {
    Pair pair(settings_of(2, 2));
    pair.one.run(Call::heartbeat, 2);  // Not due yet.
    EXPECT_EQ(pair.one.handler->state().last_heartbeats.at(n(0)), at(0));
    pair.one.run(Call::heartbeat, 5);
    EXPECT_EQ(pair.one.handler->state().last_heartbeats.at(n(0)), at(5));
    EXPECT_EQ(pair.one.last_record(),
              "handler.keep_alive RUNNING: The node 'n0_100_0' has sent a keep-alive heartbeat to the rendezvous "
              "'job'.");
    EXPECT_TRUE(value(pair.two.handler->is_closed(at(5))) == false);
    EXPECT_EQ(pair.two.handler->state().last_heartbeats.at(n(0)), at(5));  // It has been written.
}

TEST(RendezvousHandler, T33_AFailedTickIsRecordedAndTheNextOneWorks) {
    Pair pair(settings_of(2, 2));
    pair.backend.disconnect(true);
    pair.one.run(Call::heartbeat, 6);
    EXPECT_FALSE(pair.one.last<effect::Returned>().value);
    EXPECT_EQ(pair.one.last_record(),
              "handler.keep_alive FAILED: The node 'n0_100_0' has failed to send a keep-alive heartbeat to the "
              "rendezvous 'job' due to an error of type RendezvousConnectionError.");
    pair.backend.disconnect(false);
    pair.one.begin(Call::heartbeat, 7);
    pair.one.step(Call::heartbeat, 12.5);  // Bounded by 5 s.
    EXPECT_FALSE(pair.one.last<effect::Returned>().value);
    pair.one.run(Call::heartbeat, 13);
    EXPECT_TRUE(pair.one.last<effect::Returned>().value);
}

TEST(RendezvousHandler, T33_ATickThatComesAfterTheTimersEndDoesNothing) {
    Pair pair(settings_of(2, 2));
    pair.one.run(Call::shutdown, 1);
    const auto effects = pair.one.effects.size(), records = pair.one.records.size();
    pair.one.run(Call::heartbeat, 9);
    EXPECT_TRUE(pair.one.finished);
    EXPECT_EQ(pair.one.effects.size(), effects);
    EXPECT_EQ(pair.one.records.size(), records);
}

TEST(RendezvousHandler, T33_CallsRunWhileAJoinWaits) {
    Pair pair(settings_of(2, 2));
    pair.one.run(Call::next_rendezvous, 1);
    EXPECT_FALSE(pair.one.finished);
    EXPECT_FALSE(value(pair.one.handler->is_closed(at(1))));
    pair.one.run(Call::set_closed, 1);
    EXPECT_TRUE(pair.one.last<effect::Returned>().value);
    pair.one.go_on(Call::next_rendezvous, 2);
    EXPECT_EQ(pair.one.last<effect::Raised>().failure.kind, Failure::closed);
}

TEST(RendezvousHandler, T35_ItSaysWhichBackendAndWhichRun) {
    MemoryBackend backend;
    const Program program(0, settings_of(1, 1), backend);
    EXPECT_STREQ(program.handler->backend_name(), "memory");
    EXPECT_EQ(program.handler->run_id(), "job");
    EXPECT_EQ(program.handler->node(), n(0));
    EXPECT_EQ(program.handler->settings().max_nodes, 1);
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
