// SPDX-License-Identifier: Apache-2.0
// Expert-parallel training that survives its ranks: examples/plain_train with muster in it. See trainer.hpp.

#include <iostream>

#include "muster/session.hpp"
#include "train/options.hpp"
#include "train/report.hpp"
#include "train/saver.hpp"
#include "train/trainer.hpp"

namespace {

int fail(muster::ExitCode code, const std::string& text) {
    std::cerr << "train: " << text << "\n";
    return static_cast<int>(code);
}

/// One turn after the last step: evaluates, reports and leaves; a death on the way leads to another turn.
void finish(train::Trainer& trainer, muster::Session& session, const train::Options& options) {
    const auto outcome = trainer.evaluate();
    if (!outcome) return;
    const bool writes = session.world().slot->value == 0 && !options.json.empty();
    if (writes && !train::write_report(options, *outcome, session)) {
        session.abort(options.json + " cannot be written");
        return;
    }
    trainer.close();
    session.leave();
}

int run(const train::Options& options) {
    const auto data = moe::Dataset::load(options.data);
    if (!data) return fail(muster::ExitCode::bad_usage, data.error().text);
    auto config = muster::Config::from_environment();
    if (!config) return fail(muster::ExitCode::bad_usage, config.error().text);
    config->hooks.warm_up = [&] { train::warm_up(*data); };
    auto session = muster::Session::join(*config);
    if (!session) return fail(muster::ExitCode::launcher_failed, session.error().text);

    auto saver = train::Saver::open(*session, options);
    if (!saver) session->stop(muster::ExitCode::bad_usage, saver.error().text);
    train::Trainer trainer(*session, *data, options, saver ? saver->get() : nullptr);
    while (const auto turn = session->next()) {
        if (turn.kind == muster::Turn::rebuilt || !trainer.wired())
            trainer.rewire();
        else if (turn.kind == muster::Turn::suspend)
            trainer.save();  // The job may be about to end, to be started again.
        else if (turn.kind == muster::Turn::resume)
            continue;  // No step: a newcomer in a suspended job takes these turns alone.
        else if (!trainer.finished())
            trainer.train();
        else
            finish(trainer, *session, options);
    }
    const auto& ending = session->ending();
    if (ending.code != muster::ExitCode::finished) return fail(ending.code, ending.reason);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = train::parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&options)) return *code;
    return run(std::get<train::Options>(options));
}
