// SPDX-License-Identifier: Apache-2.0
#include "persist/checkpoint_writer.hpp"

#include <condition_variable>
#include <mutex>

namespace muster::persist {

struct CheckpointWriter::Shared {
    struct Job {
        CheckpointHead head;
        Bytes file;
    };
    CheckpointDirectory directory;
    std::uint32_t keep;
    Say say;
    std::mutex mutex{};
    std::condition_variable changed{};
    std::optional<Job> waiting{};
    std::optional<Failure> failure{};
    bool writing = false, closed = false, left = false;

    [[nodiscard]] bool idle() const { return !waiting && !writing; }
    void write(Job job);
};

void CheckpointWriter::Shared::write(Job job) {
    seal(job.file);
    auto failed = directory.write(job.head, job.file);
    if (!failed && job.head.slot == Slot{0}) directory.prune(job.head.step, keep);
    if (!failed) return;
    failed->text = "the part of slot " + std::to_string(job.head.slot.value) + " of step " +
                   std::to_string(job.head.step.value) + " is not saved: " + failed->text;
    say(failed->text);
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(failed);
}

CheckpointWriter::CheckpointWriter(CheckpointDirectory directory, std::uint32_t keep, Say say,
                                   std::chrono::milliseconds close_deadline)
    : shared_(new Shared{.directory = std::move(directory), .keep = keep, .say = std::move(say)}),
      close_deadline_(close_deadline),
      thread_(work, shared_) {}

/// A thread that a file system holds cannot be joined; it keeps its own hold on what it uses.
CheckpointWriter::~CheckpointWriter() {
    std::unique_lock lock(shared_->mutex);
    shared_->closed = true;
    shared_->changed.notify_all();
    const bool left = shared_->changed.wait_for(lock, close_deadline_, [&] { return shared_->left; });
    lock.unlock();
    if (left) {
        thread_.join();
        return;
    }
    shared_->say("a part is still being written after " + std::to_string(close_deadline_.count()) +
                 " ms; it is left unfinished: does the file system stand still?");
    thread_.detach();
}

void CheckpointWriter::work(const std::shared_ptr<Shared>& shared) {
    std::unique_lock lock(shared->mutex);
    while (true) {
        shared->changed.wait(lock, [&] { return shared->waiting || shared->closed; });
        if (!shared->waiting) break;
        auto job = std::move(*shared->waiting);
        shared->waiting.reset();
        shared->writing = true;
        lock.unlock();
        shared->write(std::move(job));
        lock.lock();
        shared->writing = false;
        shared->changed.notify_all();
    }
    shared->left = true;
    shared->changed.notify_all();
}

void CheckpointWriter::put(CheckpointHead head, Bytes file) {
    std::optional<Shared::Job> replaced(Shared::Job{std::move(head), std::move(file)});
    {
        const std::lock_guard lock(shared_->mutex);
        std::swap(shared_->waiting, replaced);
        shared_->changed.notify_all();
    }
    if (replaced)
        shared_->say("the part of slot " + std::to_string(replaced->head.slot.value) + " of step " +
                     std::to_string(replaced->head.step.value) +
                     " gives way to a newer one before it was written: the disk is slower than the saves, save less "
                     "often");
}

std::optional<Failure> CheckpointWriter::take_failure() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->failure, std::nullopt);
}

bool CheckpointWriter::wait_idle(std::chrono::milliseconds deadline) {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, deadline, [&] { return shared_->idle(); });
}

}  // namespace muster::persist
