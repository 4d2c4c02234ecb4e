// SPDX-License-Identifier: Apache-2.0
#include "core/store_state.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace muster::core {
namespace {

constexpr std::uint32_t kSnapshotMagic = 0x31535354;  // "TSS1"
constexpr std::size_t kQuotedMax = 64;

std::size_t cost_of(const std::string& key, const Value& value) { return kStoreKeyCost + key.size() + value->size(); }

std::size_t kept_by(const StoreAnswer& answer) { return answer.value ? answer.value->size() : 0; }

std::optional<std::int64_t> number_of(const Bytes& bytes) {
    const char* begin = reinterpret_cast<const char*>(bytes.data());
    const char* end = begin + bytes.size();
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

Value text_of(std::int64_t number) {
    const std::string text = std::to_string(number);
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return value_of(Bytes(begin, begin + text.size()));
}

StoreAnswer refused(std::string text) { return {.error = Error{Fault::refused, std::move(text)}}; }

}  // namespace

std::string store_prefix(const StoreSettings& settings, Round round) {
    return settings.prefix + "." + settings.run_id + "." + std::to_string(round.value);
}

std::string in_quotes(std::string_view key) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text = "'";
    for (const char c : key.substr(0, kQuotedMax)) {
        if (c >= ' ' && c <= '~') {
            text += c;
        } else {
            const auto value = static_cast<unsigned char>(c);
            text += {'\\', 'x', kDigits[value >> 4U], kDigits[value & 15U]};
        }
    }
    return text + (key.size() > kQuotedMax ? "...'" : "'");
}

bool StoreState::apply(const StoreEntry& entry) {
    if (std::holds_alternative<store::Begin>(entry.change)) {
        if (entry.round <= round_ || entry.number != 1) return false;
        keys_.clear();
        clients_.clear();
        bytes_ = 0;
        round_ = entry.round;
        entries_ = 1;
        return true;
    }
    if (entry.round != round_ || entry.number != entries_ + 1) return false;
    if (std::holds_alternative<store::Gone>(entry.change)) {
        forget(entry.client);
        ++entries_;
        return true;
    }
    if (entry.id < settled(entry.client) || remembered(entry.client, entry.id)) return false;  // It was done.
    ++entries_;
    settle(entry.client, entry.settled);
    auto answer = std::visit(
        [this](const auto& what) {
            if constexpr (requires { change(what); }) return change(what);
            return StoreAnswer{};
        },
        entry.change);
    remember(entry.client, entry.id, std::move(answer));
    return true;
}

Value StoreState::find(const std::string& key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : found->second;
}

std::optional<Error> StoreState::full(const std::string& key, std::size_t needed, std::size_t freed) const {
    if (needed <= freed || needed - freed <= bytes_max_ - std::min(bytes_, bytes_max_)) return std::nullopt;
    return Error{Fault::refused, "the store is full: key " + in_quotes(key) + " needs " +
                                     std::to_string(needed - freed) + " bytes more, " + std::to_string(bytes_) +
                                     " of " + std::to_string(bytes_max_) + " are taken"};
}

/// `beside`: bytes that the answer will keep.
std::optional<Error> StoreState::set(const std::string& key, const Value& value, std::size_t beside) {
    const auto old = keys_.find(key);
    const std::size_t freed = old == keys_.end() ? 0 : cost_of(key, old->second);
    const std::size_t needed = cost_of(key, value);
    if (auto error = full(key, needed + beside, freed)) return error;
    bytes_ = bytes_ - freed + needed;
    keys_.insert_or_assign(key, value);
    return std::nullopt;
}

StoreAnswer StoreState::change(const store::Set& what) { return {.error = set(what.key, what.value, 0)}; }

StoreAnswer StoreState::change(const store::Add& add) {
    std::int64_t before = 0, sum = 0;
    if (const Value old = find(add.key)) {
        const auto number = number_of(*old);
        if (!number) {
            return refused("add: the value of key " + in_quotes(add.key) + " (" + std::to_string(old->size()) +
                           " bytes) is no decimal number of 64 bits");
        }
        before = *number;
    }
    if (__builtin_add_overflow(before, add.amount, &sum)) {
        return refused("add: key " + in_quotes(add.key) + " holds " + std::to_string(before) + "; with " +
                       std::to_string(add.amount) + " it would leave 64 bits");
    }
    if (auto error = set(add.key, text_of(sum), 0)) return {.error = std::move(error)};
    return {.number = sum};
}

StoreAnswer StoreState::change(const store::CompareSet& swap) {
    const Value old = find(swap.key);
    // As in torch: nothing expected means "not there", and an empty value is equal to it, too.
    const bool equal = old ? *old == swap.expected : swap.expected.empty();
    if (equal) {
        if (auto error = set(swap.key, swap.desired, swap.desired->size())) return {.error = std::move(error)};
        return {.value = swap.desired, .done = true};
    }
    if (old == nullptr) return {};
    if (auto error = full(swap.key, old->size(), 0)) return {.error = std::move(error)};
    return {.value = old};
}

StoreAnswer StoreState::change(const store::Erase& erase) {
    const auto old = keys_.find(erase.key);
    if (old == keys_.end()) return {};
    bytes_ -= cost_of(erase.key, old->second);
    keys_.erase(old);
    return {.done = true};
}

const StoreAnswer* StoreState::remembered(Rank client, CallId id) const {
    const auto known = clients_.find(client);
    if (known == clients_.end()) return nullptr;
    const auto answer = known->second.answers.find(id);
    return answer == known->second.answers.end() ? nullptr : &answer->second;
}

CallId StoreState::settled(Rank client) const {
    const auto known = clients_.find(client);
    return known == clients_.end() ? CallId{} : known->second.settled;
}

std::size_t StoreState::unsettled(Rank client, CallId settled) const {
    const auto known = clients_.find(client);
    if (known == clients_.end()) return 0;
    const auto& answers = known->second.answers;
    return static_cast<std::size_t>(std::distance(answers.lower_bound(settled), answers.end()));
}

void StoreState::settle(Rank client, CallId settled) {
    auto& known = clients_[client];
    known.settled = std::max(known.settled, settled);
    while (!known.answers.empty() && known.answers.begin()->first < known.settled) {
        bytes_ -= kept_by(known.answers.begin()->second);
        known.answers.erase(known.answers.begin());
    }
}

void StoreState::remember(Rank client, CallId id, StoreAnswer answer) {
    const auto [place, is_new] = clients_[client].answers.try_emplace(id);
    if (!is_new) bytes_ -= kept_by(place->second);
    bytes_ += kept_by(answer);
    place->second = std::move(answer);
}

void StoreState::forget(Rank client) {
    const auto known = clients_.find(client);
    if (known == clients_.end()) return;
    for (const auto& [id, answer] : known->second.answers) bytes_ -= kept_by(answer);
    clients_.erase(known);
}

Bytes StoreState::snapshot() const {
    Writer out;
    out.u32(kSnapshotMagic);
    out.id(round_);
    out.u64(entries_);
    out.u32(static_cast<std::uint32_t>(keys_.size()));
    for (const auto& [key, value] : keys_) out.text(key), out.blob(*value);
    out.u32(static_cast<std::uint32_t>(clients_.size()));
    for (const auto& [rank, client] : clients_) {
        out.id(rank);
        out.id(client.settled);
        out.u32(static_cast<std::uint32_t>(client.answers.size()));
        for (const auto& [id, answer] : client.answers) out.id(id), put(out, answer);
    }
    return out.take();
}

std::optional<StoreState> StoreState::from_snapshot(const StoreSettings& settings, std::span<const std::byte> bytes) {
    Reader in(bytes);
    StoreState state(settings);
    if (in.u32() != kSnapshotMagic) return std::nullopt;
    state.round_ = in.id<Round>();
    state.entries_ = in.u64();
    for (auto keys = in.count(8); keys > 0; --keys) {
        std::string key = in.text();
        if (!state.keys_.empty() && key <= state.keys_.rbegin()->first) return std::nullopt;
        const auto place = state.keys_.emplace(std::move(key), value_of(in.blob())).first;
        state.bytes_ += cost_of(place->first, place->second);
    }
    for (auto clients = in.count(16); clients > 0; --clients) {
        const auto rank = in.id<Rank>();
        if (!state.clients_.empty() && rank <= state.clients_.rbegin()->first) return std::nullopt;
        Client& client = state.clients_[rank];
        client.settled = in.id<CallId>();
        for (auto answers = in.count(19); answers > 0; --answers) {
            const auto id = in.id<CallId>();
            auto answer = take_store_answer(in);
            const bool ascends = client.answers.empty() || id > client.answers.rbegin()->first;
            if (!answer || !ascends || id < client.settled) return std::nullopt;
            state.remember(rank, id, std::move(*answer));
        }
    }
    if (!in.finished()) return std::nullopt;
    return state;
}

}  // namespace muster::core
