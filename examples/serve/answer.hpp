// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What an engine answers: the class, and a word about itself for the table at the end.
/// Shape: an Answer travels as its bytes, since all ranks of this job run the same program on the same kind of machine.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace serve {

struct EngineWord {
    std::uint32_t rank = 0;
    std::uint32_t replica = 0;  ///< Its number, where the job has a controller.
    std::uint64_t forwards = 0, dummy_forwards = 0;
    std::uint64_t released_bytes = 0;  ///< What this process gave back when the job was last suspended, as measured.
};

struct Answer {
    std::uint32_t label = 0;
    std::uint32_t padding = 0;
    EngineWord engine;
};
static_assert(std::is_trivially_copyable_v<Answer> && std::has_unique_object_representations_v<Answer>);

[[nodiscard]] inline std::optional<Answer> answer_from(std::span<const std::byte> bytes) {
    Answer answer;
    if (bytes.size() != sizeof answer) return std::nullopt;
    std::memcpy(&answer, bytes.data(), sizeof answer);
    return answer;
}

}  // namespace serve
