// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The coordinator's side of the registry: does what is asked, and answers when its followers have it.
/// Intuition and errors: core/registry. One on every member, since any may coordinate. Thread safety: none.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/job_keeper.hpp"

namespace muster::core {

struct RegistryReply {
    Rank client;
    message::RegistryTold told;
};

class RegistryServer {
public:
    /// `keeper` must outlive it.
    RegistryServer(JobKeeper& keeper, std::size_t bytes_max) : keeper_(&keeper), bytes_max_(bytes_max) {}

    void complete(bool coordinates);  ///< A round is.
    /// On the coordinator. The answer comes with take_replies(), not before the state is here and mirrored.
    [[nodiscard]] MirrorEffects ask(Rank client, message::RegistryAsk ask);
    [[nodiscard]] MirrorEffects serve();  ///< After MirrorSafe.
    [[nodiscard]] std::vector<RegistryReply> take_replies();
    [[nodiscard]] const Registry& registry() const { return keeper_->state().registry(); }

private:
    struct Held {
        std::uint64_t after = 0;  ///< Entries that must be safe.
        RegistryReply reply;
    };
    [[nodiscard]] MirrorEffects change(Rank client, message::RegistryAsk ask);
    [[nodiscard]] std::optional<std::string> objection_to(Rank client, const message::RegistryAsk& ask) const;
    void answer(Rank client, message::RegistryTold told);
    [[nodiscard]] message::RegistryTold told(const message::RegistryAsk& ask) const;

    JobKeeper* keeper_;
    std::size_t bytes_max_;
    std::vector<std::pair<Rank, message::RegistryAsk>> early_;  ///< Came before the state.
    std::vector<Held> held_;                                    ///< In order of `after`.
};

}  // namespace muster::core
