// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One step as the owner of experts sees it: tokens come in from all slots, answers go back; errors come in, the
/// tokens' gradients go back. An expert is two layers with a ReLU between them. Tokens arrive ordered by (virtual
/// shard, position), because slots hold contiguous blocks of shards; each expert's gradient is summed in that order, so
/// it does not depend on the number of slots. Thread safety: one thread. Lifetime: shorter than the model's.

#include <array>
#include <vector>

#include "moe/model.hpp"
#include "moe/parcel.hpp"

namespace moe {

/// A token on its way to an expert: the expert's number, then the hidden values.
inline constexpr std::size_t kTokenSize = 1 + kHidden;

class ExpertPass {
public:
    explicit ExpertPass(const Model& model);

    [[nodiscard]] Parcel answers(const Parcel& tokens);
    [[nodiscard]] Parcel token_gradients(const Parcel& errors);
    [[nodiscard]] const std::vector<Gradient>& gradients() const { return gradients_; }  ///< One per own expert.

private:
    struct Token {
        std::size_t expert = 0;  ///< Counted from the first own expert.
        std::array<float, kHidden> input{}, middle{};
    };

    const Model& model_;
    std::vector<Token> tokens_;
    std::vector<Gradient> gradients_;
};

}  // namespace moe
