// SPDX-License-Identifier: Apache-2.0
#include "core/call_book.hpp"

#include <algorithm>
#include <iterator>

namespace muster::core {

void CallBook::add(const Call& call) {
    Author& author = authors_[call.author];
    author.settled = std::max(author.settled, call.settled);
    author.done.erase(author.done.begin(), author.done.lower_bound(author.settled));
    author.done.emplace(call.id, call.goal);
}

std::optional<CallBook::Call> CallBook::find(Rank author, CallId id) const {
    const auto known = authors_.find(author);
    if (known == authors_.end()) return std::nullopt;
    const auto done = known->second.done.find(id);
    if (done == known->second.done.end()) return std::nullopt;
    return Call{author, id, known->second.settled, done->second};
}

CallId CallBook::settled(Rank author) const {
    const auto known = authors_.find(author);
    return known == authors_.end() ? CallId{} : known->second.settled;
}

std::size_t CallBook::unsettled(Rank author, CallId settled) const {
    const auto known = authors_.find(author);
    if (known == authors_.end()) return 0;
    const auto& done = known->second.done;
    return static_cast<std::size_t>(std::distance(done.lower_bound(settled), done.end()));
}

void CallBook::put(Writer& out) const {
    out.u32(static_cast<std::uint32_t>(authors_.size()));
    for (const auto& [rank, author] : authors_) {
        out.id(rank);
        out.id(author.settled);
        out.u32(static_cast<std::uint32_t>(author.done.size()));
        for (const auto& [id, goal] : author.done) out.id(id), out.maybe(goal);
    }
}

CallBook CallBook::take(Reader& in) {
    CallBook book;
    for (auto left = in.count(4 + 8 + 4); left > 0; --left) {
        Author& author = book.authors_[in.id<Rank>()];
        author.settled = in.id<CallId>();
        for (auto calls = in.count(8 + 1 + 8); calls > 0; --calls) {
            const auto id = in.id<CallId>();
            author.done[id] = in.maybe<controller::GoalId>();
        }
    }
    return book;
}

}  // namespace muster::core
