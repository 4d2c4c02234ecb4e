// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a switchboard notes of each thing that is open: its client's calls and requests, its groups, a query.
/// For switchboard.hpp only. Thread safety: plain values.

#include "core/switchboard_words.hpp"

namespace muster::core {

struct SwitchboardParts {
    struct Asked {  ///< An operation of the local client that has not ended.
        Wanted wanted = Wanted::pause;
        bool sent = false;  ///< To the present coordinator.
    };
    struct Submitted {  ///< A request of the local client that was not answered.
        Bytes bytes;
        RequestHints hints;
        bool sent = false;
        bool again = false;  ///< Some coordinator has had it.
        bool aborted = false;
    };
    struct Called {  ///< A call on the store that was not answered.
        StoreCall call;
        bool sent = false;  ///< To the present coordinator.
    };
    struct Looked {  ///< A call on the registry that was not answered.
        message::RegistryAsk ask;
        bool sent = false;  ///< To the present coordinator.
    };
    struct Ordered {  ///< A call of the controller that was not answered.
        message::ControllerAsk ask;
        bool sent = false;  ///< To the present coordinator.
    };
    struct Group {  ///< A lockstep group, on the coordinator.
        std::uint32_t number = 0;
        std::vector<Slot> slots;  ///< Of the receiving ranks of its engines.
        std::vector<Rank> engines;
        std::vector<std::uint64_t> capacities;
        WaveTracker tracker;
        Loads published;
    };
    struct Query {  ///< "Where are you", under way.
        std::uint64_t number = 0, asked_ms = 0;
        Whereabouts heard;  ///< `silent`: who has not answered yet.
    };
};

}  // namespace muster::core
