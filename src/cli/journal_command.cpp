// SPDX-License-Identifier: Apache-2.0
/// `muster journal show|verify FILE`: looks into a journal, also one that a job is writing, and changes nothing.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>

#include "cli/commands.hpp"
#include "cli/journal_report.hpp"
#include "muster/exit_codes.hpp"
#include "persist/journal_file.hpp"

namespace muster::cli {
namespace {

constexpr int kNotWhole = 1;
constexpr const char* kExitCodes =
    "Exit codes: 0 whole; 1 torn or damaged: the offset and what is kept are said; 2 bad usage, or it cannot be read.\n"
    "A journal that is being written may look torn at its end. Fields: DESIGN.md, \"Journal\".";

struct JournalOptions {
    std::string path;
    JournalShow show;
    bool json = false;
};

/// Reads the file and hands it to `report`; the exit code.
int look(const std::string& path, const std::function<void(const persist::JournalScan&)>& report) {
    const auto read = persist::read_journal(path);
    if (const auto* failure = std::get_if<persist::Failure>(&read)) {
        std::fprintf(stderr, "muster: journal: %s\n", failure->text.c_str());
        return static_cast<int>(ExitCode::bad_usage);
    }
    const auto& scan = std::get<persist::JournalScan>(read);
    report(scan);
    std::cout << std::flush;
    return scan.torn || scan.damaged ? kNotWhole : 0;
}

void add_show(CLI::App& journal, int& exit_code) {
    auto options = std::make_shared<JournalOptions>();
    auto* command = journal.add_subcommand("show", "Its whole records, one a line");
    command->add_option("FILE", options->path, "The journal")->required();
    command->add_flag("--json", options->show.json, "One JSON object a record");
    command->add_option("--from", options->show.from, "The lowest index that is shown");
    command->add_option("--limit", options->show.limit, "At most so many records")->check(CLI::PositiveNumber);
    command->footer(std::string("Examples:\n"
                                "  muster journal show state/muster-job.journal\n"
                                "  muster journal show state/muster-job.journal --from 120 --limit 10\n"
                                "  muster journal show state/muster-job.journal --json | tail -1\n") +
                    kExitCodes);
    command->callback([options, &exit_code] {
        exit_code = look(options->path, [&](const persist::JournalScan& scan) {
            show_journal(std::cout, scan, options->show, journal_decoders());
            if (scan.torn || scan.damaged) show_verdict(std::cerr, options->path, scan, false);
        });
    });
}

void add_verify(CLI::App& journal, int& exit_code) {
    auto options = std::make_shared<JournalOptions>();
    auto* command = journal.add_subcommand("verify", "Whether it is whole; where not, what would be kept");
    command->add_option("FILE", options->path, "The journal")->required();
    command->add_flag("--json", options->json, "One JSON object");
    command->footer(std::string("Examples:\n"
                                "  muster journal verify state/muster-job.journal\n"
                                "  muster journal verify state/muster-job.journal --json\n") +
                    kExitCodes);
    command->callback([options, &exit_code] {
        exit_code = look(options->path, [&](const persist::JournalScan& scan) {
            show_verdict(std::cout, options->path, scan, options->json);
        });
    });
}

}  // namespace

void register_journal(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("journal", "Look into a journal's file");
    command->require_subcommand(1);
    command->footer(std::string("Examples:\n"
                                "  muster journal verify state/muster-job.journal\n"
                                "  muster journal show state/muster-job.journal --from 120\n") +
                    kExitCodes);
    add_show(*command, exit_code);
    add_verify(*command, exit_code);
}

}  // namespace muster::cli
