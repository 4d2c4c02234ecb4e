// SPDX-License-Identifier: Apache-2.0
#include "core/store_message.hpp"

#include <utility>

namespace muster::core {
namespace {

void put_value(Writer& out, const Value& value) {
    out.flag(value != nullptr);
    if (value) out.blob(*value);
}

struct PutOperation {
    Writer& out;
    void operator()(const store::Set& o) const { out.text(o.key), put_value(out, o.value); }
    void operator()(const store::Add& o) const { out.text(o.key), out.u64(static_cast<std::uint64_t>(o.amount)); }
    void operator()(const store::CompareSet& o) const {
        out.text(o.key), out.blob(o.expected), put_value(out, o.desired);
    }
    void operator()(const store::Erase& o) const { out.text(o.key); }
    void operator()(const store::Get& o) const { out.text(o.key); }
    void operator()(const store::Wait& o) const {
        out.u32(static_cast<std::uint32_t>(o.keys.size()));
        for (const auto& key : o.keys) out.text(key);
    }
    void operator()(const store::NumKeys&) const {}
    void operator()(const store::Begin&) const {}
    void operator()(const store::Gone&) const {}
};

/// The same in the other direction. `sensible` is false once a value is none that PutOperation writes.
struct TakeOperation {
    Reader& in;
    bool sensible = true;

    Value value() { return in.flag() ? value_of(in.blob()) : nullptr; }
    Value needed_value() {
        auto taken = value();
        if (!taken) sensible = false;
        return taken;
    }
    void operator()(store::Set& o) { o.key = in.text(), o.value = needed_value(); }
    void operator()(store::Add& o) { o.key = in.text(), o.amount = static_cast<std::int64_t>(in.u64()); }
    void operator()(store::CompareSet& o) { o.key = in.text(), o.expected = in.blob(), o.desired = needed_value(); }
    void operator()(store::Erase& o) { o.key = in.text(); }
    void operator()(store::Get& o) { o.key = in.text(); }
    void operator()(store::Wait& o) {
        const auto count = in.count(4);  // A key's length is the least of it.
        for (std::uint32_t i = 0; i < count && in.ok(); ++i) o.keys.push_back(in.text());
    }
    void operator()(store::NumKeys&) {}
    void operator()(store::Begin&) {}
    void operator()(store::Gone&) {}
};

template <class Variant, std::size_t... Index>
bool emplace(Variant& made, std::size_t kind, std::index_sequence<Index...>) {
    return ((kind == Index && (made.template emplace<Index>(), true)) || ...);
}

/// Kind and contents. False where the kind is none; what is missing or senseless shows in `take`.
template <class Variant>
bool take_variant(TakeOperation& take, Variant& made) {
    constexpr auto kinds = std::make_index_sequence<std::variant_size_v<Variant>>{};
    if (!emplace(made, take.in.u8(), kinds)) return false;
    std::visit([&take](auto& operation) { take(operation); }, made);
    return true;
}

}  // namespace

void put(Writer& out, const StoreCall& call) {
    out.id(call.id);
    out.id(call.settled);
    out.id(call.round);
    out.u64(call.patience_ms);
    out.u8(static_cast<std::uint8_t>(call.operation.index()));
    std::visit(PutOperation{out}, call.operation);
}

void put(Writer& out, const StoreAnswer& answer) {
    out.flag(answer.error.has_value());
    if (answer.error) {
        out.u8(static_cast<std::uint8_t>(answer.error->fault));
        out.text(answer.error->text);
    }
    put_value(out, answer.value);
    out.u64(static_cast<std::uint64_t>(answer.number));
    out.flag(answer.done);
}

void put(Writer& out, const StoreEntry& entry) {
    out.id(entry.round);
    out.u64(entry.number);
    out.id(entry.client);
    out.id(entry.id);
    out.id(entry.settled);
    out.u8(static_cast<std::uint8_t>(entry.change.index()));
    std::visit(PutOperation{out}, entry.change);
}

std::optional<StoreCall> take_store_call(Reader& in) {
    StoreCall call;
    call.id = in.id<CallId>();
    call.settled = in.id<CallId>();
    call.round = in.id<Round>();
    call.patience_ms = in.u64();
    TakeOperation take{in};
    if (!take_variant(take, call.operation)) return std::nullopt;
    if (!in.ok() || !take.sensible || call.settled > call.id) return std::nullopt;
    return call;
}

std::optional<StoreAnswer> take_store_answer(Reader& in) {
    StoreAnswer answer;
    TakeOperation take{in};
    if (in.flag()) {
        const auto fault = in.u8();
        if (fault >= kFaults) return std::nullopt;
        answer.error = Error{static_cast<Fault>(fault), in.text()};
    }
    answer.value = take.value();
    answer.number = static_cast<std::int64_t>(in.u64());
    answer.done = in.flag();
    if (!in.ok() || !take.sensible) return std::nullopt;
    return answer;
}

std::optional<StoreEntry> take_store_entry(Reader& in) {
    StoreEntry entry;
    entry.round = in.id<Round>();
    entry.number = in.u64();
    entry.client = in.id<Rank>();
    entry.id = in.id<CallId>();
    entry.settled = in.id<CallId>();
    TakeOperation take{in};
    if (!take_variant(take, entry.change)) return std::nullopt;
    const bool begins = std::holds_alternative<store::Begin>(entry.change);
    if (!in.ok() || !take.sensible || entry.settled > entry.id || begins != (entry.number == 1)) return std::nullopt;
    return entry;
}

}  // namespace muster::core
