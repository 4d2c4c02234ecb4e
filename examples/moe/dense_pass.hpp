// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One step as the owner of images sees it: stem and router, away to the experts and back, head and loss, and the same
/// way in reverse. Routing, capacity and balance are decided within a virtual shard and so the same in every world.
///
///     auto answers = all_to_all(experts.answers(all_to_all(dense.tokens())));
///     auto token_gradients = all_to_all(experts.token_gradients(all_to_all(dense.errors(answers))));
///     auto gradients = dense.gradients(token_gradients);
///
/// A token's output is hidden + gate * expert(hidden); one that its expert has no room for keeps its hidden values.
/// Thread safety: one thread. Lifetime: shorter than the model's and the data set's.

#include <array>
#include <vector>

#include "moe/dataset.hpp"
#include "moe/model.hpp"
#include "moe/parcel.hpp"

namespace moe {

class DensePass {
public:
    /// `capacity`: tokens that an expert takes of one virtual shard.
    DensePass(const Model& model, const std::vector<Shard>& shards, Place place, std::uint32_t capacity = kCapacity);

    [[nodiscard]] Parcel tokens();                       ///< Stem and router: each token to its expert's owner.
    [[nodiscard]] Parcel errors(const Parcel& answers);  ///< Head and loss: the gradient of each answer.
    /// Back through router and stem. Shape: kGradientSize floats per own virtual shard, in shard order.
    [[nodiscard]] std::vector<float> gradients(const Parcel& token_gradients);
    /// In place of errors(): how many images get their right label.
    [[nodiscard]] std::uint32_t count_right(const Parcel& answers);

private:
    struct Token {
        const Image* image = nullptr;
        std::size_t shard = 0;  ///< Counted from the first own shard.
        std::uint32_t expert = 0;
        bool sent = false;  ///< False: its expert has no room.
        std::array<float, kHidden> hidden{}, answer{}, output{}, output_gradient{}, hidden_gradient{};
        std::array<float, kExperts> gates{};
        std::array<float, kClasses> classes{};
    };

    void route(Token& token);
    void classify(const Parcel& answers);
    void go_back(const Token& token, float* gradient) const;

    const Model& model_;
    Place place_;
    std::uint32_t capacity_;
    std::size_t shards_;
    std::vector<Token> tokens_;         ///< Ordered by (virtual shard, position).
    std::vector<std::size_t> sent_;     ///< Tokens in the order in which they lie in a parcel.
    std::vector<int> sent_counts_;      ///< Shape: one per slot. Units: tokens.
    std::vector<std::uint32_t> taken_;  ///< Shape: shards x experts. Units: tokens.
    std::vector<float> balance_;        ///< Shape: shards x experts. What one more unit of a gate costs.
    std::vector<float> gradients_;
};

}  // namespace moe
