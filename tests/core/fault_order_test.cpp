// SPDX-License-Identifier: Apache-2.0
#include "core/fault_order.hpp"

#include <gtest/gtest.h>

#include "core/fault_points.hpp"

namespace muster::core {
namespace {

FaultOrder one(const char* text) {
    auto orders = parse_fault_orders(text);
    EXPECT_TRUE(orders) << (orders ? "" : orders.error().text);
    if (!orders || orders->size() != 1) return {};
    return (*orders)[0];
}

template <class When>
When when(const char* text) {
    const auto order = one(text);
    EXPECT_TRUE(std::holds_alternative<When>(order.when)) << text;
    return std::holds_alternative<When>(order.when) ? std::get<When>(order.when) : When{};
}

TEST(FaultOrder, EachKindIsRead) {
    struct Row {
        const char* text;
        FaultKind kind;
        std::uint64_t amount_us;
    };
    for (const auto& [text, kind, amount_us] :
         {Row{"kill:rank=3@step=120", FaultKind::kill, 0}, Row{"stop:rank=3@step=120", FaultKind::stop, 0},
          Row{"stop:rank=3@step=120:0.5", FaultKind::stop, 500'000},
          Row{"stop:rank=3@step=120:2s", FaultKind::stop, 2'000'000},
          Row{"stop:rank=3@step=120:20ms", FaultKind::stop, 20'000},
          Row{"slow:rank=3@step=120:7", FaultKind::slow, 7'000}, Row{"exit0:rank=3@step=120", FaultKind::exit0, 0},
          Row{"abort:rank=3@step=120", FaultKind::abort, 0}, Row{"segv:rank=3@step=120", FaultKind::segv, 0}}) {
        const auto order = one(text);
        EXPECT_EQ(order.kind, kind) << text;
        EXPECT_EQ(order.rank, Rank{3}) << text;
        EXPECT_EQ(order.amount_us, amount_us) << text;
        EXPECT_EQ(order.text, text);
    }
}

TEST(FaultOrder, R5_TheCoordinatorAfterACheckpoint) {
    const auto exits = one("crash-after-checkpoint=0.2");
    EXPECT_EQ(exits.kind, FaultKind::exit0);
    EXPECT_EQ(std::get<AtCheckpoint>(exits.when).chance, 0.2);
    EXPECT_EQ(std::get<AtCheckpoint>(exits.when).most, std::nullopt);
    EXPECT_EQ(one("crash-after-checkpoint=1:exit").kind, FaultKind::exit0);
    const auto kills = one("crash-after-checkpoint=0.5,max=3:kill");
    EXPECT_EQ(kills.kind, FaultKind::kill);
    EXPECT_EQ(std::get<AtCheckpoint>(kills.when).most, 3u);
    for (const char* text : {"crash-after-checkpoint=", "crash-after-checkpoint=0", "crash-after-checkpoint=1.5",
                             "crash-after-checkpoint=0.2:", "crash-after-checkpoint=0.2:segv",
                             "crash-after-checkpoint=0.2,most=3", "crash-after-checkpoint=0.2,max=0"})
        EXPECT_FALSE(parse_fault_orders(text)) << text;
}

TEST(FaultOrder, EachTriggerIsRead) {
    EXPECT_EQ(when<AtStep>("kill:rank=0@step=120").step, 120u);
    EXPECT_EQ(when<AtTime>("kill:rank=0@time=2.5s").after_us, 2'500'000u);
    EXPECT_EQ(when<AtTime>("kill:rank=0@time=250ms").after_us, 250'000u);
    EXPECT_EQ(when<AtState>("kill:rank=0@state=PAUSING").state, State::pausing);
    EXPECT_EQ(when<AtState>("kill:rank=0@state=suspended#2").nth, 2u);
    EXPECT_EQ(when<AtPoint>("kill:rank=0@point=shrunk").nth, 1u);
    EXPECT_EQ(when<AtPoint>("kill:rank=0@point=commit.entered#5").point, "commit.entered");
    EXPECT_EQ(when<AtPoint>("kill:rank=0@point=commit.entered#5").nth, 5u);
    EXPECT_EQ(one("kill:rank=any@rate=0.2/s").rank, std::nullopt);
    const auto random = when<AtRandom>("kill:rank=any@rate=0.2/s,seed=7,max=3");
    EXPECT_EQ(random.per_second, 0.2);
    EXPECT_EQ(random.seed, 7u);
    EXPECT_EQ(random.most, 3u);
    EXPECT_EQ(when<AtRandom>("stop:rank=2@rate=5/s:0.1").most, std::nullopt);
    EXPECT_EQ(one("stop:rank=2@rate=5/s,max=2:0.1").amount_us, 100'000u);
}

TEST(FaultOrder, SeveralAndNone) {
    EXPECT_TRUE(parse_fault_orders("")->empty());
    EXPECT_TRUE(parse_fault_orders(" ; ")->empty());
    const auto orders = parse_fault_orders("kill:rank=3@point=shrunk; kill:rank=1@point=commit.entered#5 ;");
    ASSERT_TRUE(orders);
    ASSERT_EQ(orders->size(), 2u);
    EXPECT_EQ((*orders)[1].text, "kill:rank=1@point=commit.entered#5");
}

/// The text names the part that is wrong, in quotes, and says what it may be.
TEST(FaultOrder, BadInputNamesThePartAndWhatItMayBe) {
    struct Row {
        const char* text;
        const char* part;
        const char* may_be;
    };
    for (const auto& [text, part, may_be] :
         {Row{"nonsense", "'nonsense'", "not of the form KIND:rank=RANK@TRIGGER"},
          Row{"kill:rank=1", "'kill:rank=1'", "not of the form"},
          Row{"kill@step=1", "'kill@step=1'", "not of the form"},
          Row{"kill:rank=1@", "'kill:rank=1@'", "not of the form"},
          Row{"kil:rank=1@step=1", "'kil'", "kill, stop, slow, exit0, abort or segv"},
          Row{":rank=1@step=1", "''", "kill, stop, slow"},
          Row{"kill:1@step=1", "'1'", "rank=NUMBER or rank=any"},
          Row{"kill:rank=@step=1", "'rank='", "rank=NUMBER"},
          Row{"kill:rank=-1@step=1", "'rank=-1'", "rank=NUMBER"},
          Row{"kill:rank=4294967296@step=1", "'rank=4294967296'", "rank=NUMBER"},
          Row{"kill:rank=1@120", "'120'", "step=NUMBER, time="},
          Row{"kill:rank=1@step=", "'step='", "whole number from 0"},
          Row{"kill:rank=1@step=-1", "'step=-1'", "whole number from 0"},
          Row{"kill:rank=1@step=1x", "'step=1x'", "whole number from 0"},
          Row{"kill:rank=1@step=1.5", "'step=1.5'", "whole number from 0"},
          Row{"kill:rank=1@time=2", "'2'", "time=2.5s or time=250ms"},
          Row{"kill:rank=1@time=-2s", "'-2s'", "time=2.5s"},
          Row{"kill:rank=1@time=nans", "'nans'", "time=2.5s"},
          Row{"kill:rank=1@time=infs", "'infs'", "time=2.5s"},
          Row{"kill:rank=1@time=1e300s", "'1e300s'", "time=2.5s"},
          Row{"kill:rank=1@time=s", "'s'", "time=2.5s"},
          Row{"kill:rank=1@state=SLEEPING", "'SLEEPING'", "RUNNING, PAUSING, PAUSED"},
          Row{"kill:rank=1@state=PAUSED#0", "'#0'", "whole number from 1"},
          Row{"kill:rank=1@point=shrnk", "'shrnk'", "noticed revoked shrunk"},
          Row{"kill:rank=1@point=before.paused", "'before.paused'", "before.pausing"},
          Row{"kill:rank=1@point=got.nothing", "'got.nothing'", "store_ask"},
          Row{"kill:rank=1@point=shrunk#x", "'#x'", "whole number from 1"},
          Row{"kill:rank=any@step=1", "'rank=any'", "goes with a rate only"},
          Row{"kill:rank=any@rate=0.2", "'0.2'", "rate=0.2/s"},
          Row{"kill:rank=any@rate=0/s", "'0/s'", "0.001/s to 100/s"},
          Row{"kill:rank=any@rate=nan/s", "'nan/s'", "0.001/s to 100/s"},
          Row{"kill:rank=any@rate=101/s", "'101/s'", "0.001/s to 100/s"},
          Row{"kill:rank=any@rate=1/s,sed=3", "'sed=3'", "seed=NUMBER or max=NUMBER"},
          Row{"kill:rank=any@rate=1/s,seed=x", "'seed=x'", "whole number from 0"},
          Row{"kill:rank=any@rate=1/s,max=0", "'max=0'", "whole number from 1"},
          Row{"slow:rank=1@step=1", "'slow:rank=1@step=1'", "add :MILLISECONDS"},
          Row{"slow:rank=1@step=1:", "''", "milliseconds that each turn takes longer"},
          Row{"slow:rank=1@step=1:x", "'x'", "milliseconds that each turn takes longer"},
          Row{"stop:rank=1@step=1:0", "'0'", "seconds until it goes on"},
          Row{"stop:rank=1@step=1:", "''", "seconds until it goes on"},
          Row{"kill:rank=1@step=1:5", "'5'", "nothing follows the trigger of kill"}}) {
        const auto orders = parse_fault_orders(std::string("kill:rank=0@step=1;") + text);
        ASSERT_FALSE(orders) << text;
        EXPECT_EQ(orders.error().fault, Fault::bad_setup);
        EXPECT_NE(orders.error().text.find(part), std::string::npos) << text << ": " << orders.error().text;
        EXPECT_NE(orders.error().text.find(may_be), std::string::npos) << text << ": " << orders.error().text;
    }
}

TEST(FaultOrder, WhatIsNotThereYetIsRefusedByName) {
    for (const auto& [text, why] : {std::pair{"node:n1@step=3", "helper process on each node"},
                                    std::pair{"link:n1@time=2s:5", "network interfaces"},
                                    std::pair{"hold-lock:rank=1@step=1:5", "no member writes a journal"}}) {
        const auto orders = parse_fault_orders(text);
        ASSERT_FALSE(orders) << text;
        EXPECT_NE(orders.error().text.find("cannot be done yet"), std::string::npos) << orders.error().text;
        EXPECT_NE(orders.error().text.find(why), std::string::npos) << orders.error().text;
    }
}

TEST(FaultOrder, ARankThatTheJobLacks) {
    const auto orders = *parse_fault_orders("kill:rank=2@step=1;kill:rank=any@rate=1/s;kill:rank=3@step=1");
    EXPECT_EQ(complaint_about_ranks(orders, 4), "");
    EXPECT_EQ(complaint_about_ranks(orders, 3), "'kill:rank=3@step=1': the job has the ranks 0 to 2");
}

TEST(FaultOrder, WhoStandsForEver) {
    EXPECT_TRUE(stops_for_ever(*parse_fault_orders("kill:rank=2@step=1;stop:rank=2@step=1")));
    EXPECT_FALSE(stops_for_ever(*parse_fault_orders("kill:rank=2@step=1;stop:rank=2@step=1:1")));
}

TEST(FaultPoints, AllThatTheTextNamesAreThere) {
    EXPECT_TRUE(is_fault_point("handed_over"));
    EXPECT_TRUE(is_fault_point("inside.resuming"));
    EXPECT_TRUE(is_fault_point("sent.loads_told"));
    for (const char* name : {"", ".", "inside", "inside.", ".pausing", "pausing", "before.submit", "send.pausing"})
        EXPECT_FALSE(is_fault_point(name)) << name;
}

}  // namespace
}  // namespace muster::core
