// SPDX-License-Identifier: Apache-2.0
/// A round's store, as a member's threads see it: each call is a message to the coordinator and back.
#include "muster/store.hpp"

#include "core/store_state.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

class RoundStore final : public Store {
public:
    RoundStore(std::shared_ptr<detail::Desk> desk, Round round, std::string run_id)
        : desk_(std::move(desk)), round_(round), run_id_(std::move(run_id)) {}

    [[nodiscard]] Round round() const override { return round_; }
    [[nodiscard]] std::string prefix() const override { return core::store_prefix({.run_id = run_id_}, round_); }

    Result<Done> set(std::string_view key, std::span<const std::byte> value, Deadline deadline) override {
        return done(desk_->call(core::store::Set{std::string(key), copy(value)}, round_, deadline));
    }
    Result<Bytes> get(std::string_view key, Deadline deadline) override {
        auto answer = desk_->call(core::store::Get{std::string(key)}, round_, deadline);
        if (!answer) return answer.error();
        return answer->value ? *answer->value : Bytes{};
    }
    Result<Done> wait(const std::vector<std::string>& keys, Deadline deadline) override {
        return done(desk_->call(core::store::Wait{keys}, round_, deadline));
    }
    Result<std::int64_t> add(std::string_view key, std::int64_t amount, Deadline deadline) override {
        const auto answer = desk_->call(core::store::Add{std::string(key), amount}, round_, deadline);
        if (!answer) return answer.error();
        return answer->number;
    }
    Result<Swapped> compare_set(std::string_view key, std::span<const std::byte> expected,
                                std::span<const std::byte> desired, Deadline deadline) override {
        const auto answer = desk_->call(
            core::store::CompareSet{std::string(key), Bytes(expected.begin(), expected.end()), copy(desired)}, round_,
            deadline);
        if (!answer) return answer.error();
        return Swapped{answer->done, answer->value ? std::optional(*answer->value) : std::nullopt};
    }
    Result<bool> erase(std::string_view key, Deadline deadline) override {
        const auto answer = desk_->call(core::store::Erase{std::string(key)}, round_, deadline);
        if (!answer) return answer.error();
        return answer->done;
    }
    [[nodiscard]] Result<std::uint64_t> num_keys(Deadline deadline) override {
        const auto answer = desk_->call(core::store::NumKeys{}, round_, deadline);
        if (!answer) return answer.error();
        return static_cast<std::uint64_t>(answer->number);
    }

private:
    static core::Value copy(std::span<const std::byte> bytes) {
        return core::value_of(Bytes(bytes.begin(), bytes.end()));
    }
    static Result<Done> done(const Result<core::StoreAnswer>& answer) {
        if (!answer) return answer.error();
        return Done{};
    }
    std::shared_ptr<detail::Desk> desk_;
    Round round_;
    std::string run_id_;
};

}  // namespace

std::shared_ptr<Store> Session::store() const {
    return std::make_shared<RoundStore>(impl_->desk, Round{impl_->round.load()}, impl_->config.run_id);
}

}  // namespace muster
