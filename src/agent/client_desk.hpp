// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the threads of this process that ask for something meet the agent that carries it.
/// Intuition: a client writes down what it wants and sleeps; the agent takes the notes, and writes the outcome down.
/// Thread safety: every call from any thread.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "core/switchboard.hpp"
#include "muster/client.hpp"

namespace muster::detail {

/// One operation under way. Guarded by its desk's lock.
struct PendingOperation {
    core::OperationId id;
    bool ended = false;
    std::optional<Error> error;
};

struct Desk {
    struct Connect {};
    struct Ask {
        core::OperationId operation;
        core::Wanted wanted;
    };
    struct Submit {
        RequestId id;
        Bytes bytes;
        core::RequestHints hints;
    };
    struct Abort {
        RequestId id;
    };
    struct WatchLoads {};
    struct GiveUp {
        core::CallId id;  ///< Of a call on the registry or the controller whose caller's deadline has passed.
    };
    using Out = std::variant<Connect, Ask, Submit, Abort, WatchLoads, core::StoreCall, core::message::RegistryAsk,
                             core::message::ControllerAsk, GiveUp>;
    using Clock = std::chrono::steady_clock;

    /// `ring` wakes the agent. `pump`, where set, does the agent's work, called on the engine thread.
    Desk(std::function<void()> ring, std::function<void()> pump) : ring_(std::move(ring)), pump_(std::move(pump)) {}

    // Clients.
    [[nodiscard]] Result<Done> connect(std::chrono::milliseconds deadline);
    [[nodiscard]] std::shared_ptr<PendingOperation> ask(core::Wanted wanted);
    [[nodiscard]] Result<Done> wait(const PendingOperation& pending, std::chrono::milliseconds deadline);
    [[nodiscard]] bool ended(const PendingOperation& pending) const;
    [[nodiscard]] Result<RequestId> submit(std::span<const std::byte> bytes, SubmitOptions options);
    [[nodiscard]] Result<Done> abort(RequestId id);
    [[nodiscard]] Result<JobLoads> loads(std::chrono::milliseconds deadline);
    [[nodiscard]] Result<Reply> wait(RequestId id, std::chrono::milliseconds deadline);
    [[nodiscard]] Result<Reply> next(std::chrono::milliseconds deadline);
    [[nodiscard]] std::size_t open_requests() const;
    /// The answer to a call on the store of `round`, by the deadline.
    [[nodiscard]] Result<core::StoreAnswer> call(core::StoreOperation operation, Round round,
                                                 std::chrono::milliseconds deadline);
    /// The answer to a call on the job's registry, by the deadline. Its id is filled in here.
    [[nodiscard]] Result<core::message::RegistryTold> look(core::message::RegistryAsk ask,
                                                           std::chrono::milliseconds deadline);
    /// The same for a call of the controller: a controller::Answer, as bytes.
    [[nodiscard]] Result<Bytes> control(const core::controller::Call& call, std::chrono::milliseconds deadline);

    // The agent.
    [[nodiscard]] std::vector<Out> take_out();
    void connected();
    void operation_ended(core::OperationId operation, std::optional<Error> error);
    void request_ended(RequestId id, std::optional<Error> error, Bytes bytes);  ///< Who waits is woken by tell().
    void tell();
    void store_call_ended(core::CallId id, core::StoreAnswer answer);
    void registry_call_ended(core::message::RegistryTold told);
    void controller_call_ended(core::ControllerCallEnded ended);
    void loads_heard(Round round, const core::GroupWords& groups);
    void end(const Error& why);  ///< The session is over: whatever is still open ends, and all that follows.

private:
    /// Sleeps until `ready` holds. False where the deadline passed.
    template <class Ready>
    bool sleep(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds deadline, Ready ready);
    void put(Out out);

    std::function<void()> ring_, pump_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Out> out_;
    bool untold_ = false;  ///< Agent's thread.
    bool asked_to_connect_ = false, connected_ = false;
    bool watches_ = false;
    std::optional<JobLoads> loads_;
    std::optional<Error> over_;
    std::uint64_t operations_ = 0, requests_ = 0;
    std::map<core::OperationId, std::shared_ptr<PendingOperation>> pending_;
    std::set<RequestId> open_;        ///< Submitted, not answered.
    std::set<RequestId> waited_for_;  ///< Somebody waits for these by name: next() leaves them alone.
    struct OpenCall {
        bool may_change = false;
        std::optional<core::StoreAnswer> answer;
    };
    core::CallId calls_;
    std::map<core::CallId, OpenCall> store_calls_;                                       ///< Somebody waits for each.
    std::map<core::CallId, std::optional<core::message::RegistryTold>> registry_calls_;  ///< The same.
    struct ControllerCall {
        bool changes = false;
        std::optional<core::ControllerCallEnded> ended;
    };
    std::map<core::CallId, ControllerCall> controller_calls_;  ///< The same.
    std::deque<Reply> answered_;                               ///< Not fetched yet, oldest first.
};

}  // namespace muster::detail
