// SPDX-License-Identifier: Apache-2.0
// The nine actions that change a state, each with what it writes down.
#include "core/assert.hpp"
#include "core/rendezvous_run.hpp"

namespace muster::core::rendezvous {

namespace {

/// One action being carried out.
class Change {
public:
    Change(const Actor& actor, State& state, Events* events) : actor_(actor), state_(state), events_(events) {}

    void keep_alive() {
        tell("executor.keep_alive", "updated its keep-alive heartbeat time for the rendezvous " + run());
        state_.last_heartbeats[actor_.node] = actor_.now;
    }

    void add_to_participants() {
        tell("executor.add_to_participants", "added itself to the participants of round " + round(0));
        state_.wait_list.erase(actor_.node);
        state_.participants[actor_.node] = Slot{};  // Ranks come with completion.
        keep_alive();
        const auto count = state_.participants.size();
        if (std::cmp_equal(count, actor_.settings.min_nodes))
            state_.deadline = actor_.now + actor_.settings.timeouts.last_call;
        if (std::cmp_equal(count, actor_.settings.max_nodes)) mark_complete();
    }

    void add_to_wait_list() {
        tell("executor.add_to_wait_list", "added itself to the wait list of round " + round(1));
        state_.redundancy_list.erase(actor_.node);
        state_.wait_list.insert(actor_.node);
        keep_alive();
    }

    void add_to_redundancy_list() {
        tell("executor.add_to_redundancy_list", "added itself to the redundancy list of round " + round(1));
        state_.redundancy_list.insert(actor_.node);
        keep_alive();
    }

    void remove_from_participants() {
        tell("executor.remove_from_participants", "removed itself from the participants of round " + round(0));
        state_.participants.erase(actor_.node);
        state_.last_heartbeats.erase(actor_.node);
        after_removal(state_, actor_.settings);
    }

    void remove_from_wait_list() {
        tell("executor.remove_from_wait_list", "removed itself from the wait list of round " + round(1));
        state_.wait_list.erase(actor_.node);
        state_.last_heartbeats.erase(actor_.node);
    }

    void remove_from_redundancy_list() {
        tell("executor.remove_from_redundancy_list", "removed itself from the redundant list of round " + round(1));
        state_.redundancy_list.erase(actor_.node);
        state_.last_heartbeats.erase(actor_.node);
    }

    void mark_complete() {
        tell("executor.mark_rendezvous_complete",
             "marked round " + std::to_string(state_.round.value) + " of the rendezvous " + run() + " as complete",
             Outlook::succeeded);
        state_.complete = true;
        state_.deadline.reset();
        assign_ranks(state_, actor_.settings.slot_order);
    }

    void mark_closed() {
        tell("executor.mark_rendezvous_closed", "marked the rendezvous " + run() + " as closed", Outlook::succeeded);
        state_.closed = true;
    }

private:
    [[nodiscard]] std::string run() const { return "'" + actor_.settings.run_id + "'"; }
    [[nodiscard]] std::string round(std::uint32_t ahead) const {
        return std::to_string(state_.round.value + ahead) + " of the rendezvous " + run();
    }
    void tell(const char* name, const std::string& what, Outlook outlook = Outlook::running) {
        if (events_ == nullptr) return;
        events_->push_back({name, actor_.settings.run_id, actor_.node,
                            "The node '" + text_of(actor_.node) + "' " + what + ". Pending sync.", outlook});
    }

    const Actor& actor_;
    State& state_;
    Events* events_;
};

}  // namespace

const char* name_of(Outlook outlook) {
    switch (outlook) {
        case Outlook::running: return "RUNNING";
        case Outlook::succeeded: return "SUCCEEDED";
        case Outlook::failed: return "FAILED";
    }
    return "unknown";
}

void apply(Action action, const Actor& actor, State& state, Events* events) {
    Change change(actor, state, events);
    switch (action) {
        case Action::keep_alive: return change.keep_alive();
        case Action::add_to_participants: return change.add_to_participants();
        case Action::add_to_wait_list: return change.add_to_wait_list();
        case Action::add_to_redundancy_list: return change.add_to_redundancy_list();
        case Action::remove_from_participants: return change.remove_from_participants();
        case Action::remove_from_wait_list: return change.remove_from_wait_list();
        case Action::remove_from_redundancy_list: return change.remove_from_redundancy_list();
        case Action::mark_rendezvous_complete: return change.mark_complete();
        case Action::mark_rendezvous_closed: return change.mark_closed();
        case Action::sync:
        case Action::error_closed:
        case Action::error_timeout:
        case Action::finish: break;
    }
    MUSTER_ASSERT(!"this action changes nothing");
}

}  // namespace muster::core::rendezvous
