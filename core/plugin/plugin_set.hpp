// The plugins that a server runs: those of one folder, which may change while it runs. One change
// at a time: a file is opened, and its plugin comes, takes over from the generation before, or is
// refused; or a file is gone, and its plugin with it. Loop thread; what takes long is done on
// threads of its own, so the loop must turn for anything to happen.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/files/file_stamp.hpp"
#include "core/files/file_watcher.hpp"
#include "core/plugin/changeover.hpp"
#include "core/plugin/crash_handler.hpp"
#include "core/plugin/crash_history.hpp"
#include "core/plugin/errands.hpp"
#include "core/plugin/file_trust.hpp"
#include "core/plugin/generation.hpp"
#include "core/plugin/host_threads.hpp"
#include "core/plugin/private_copies.hpp"
#include "core/plugin/retirements.hpp"
#include "core/plugin/settings.hpp"

namespace jackfield::plugin {

class PluginSet {
 public:
  static constexpr std::chrono::seconds kRetryPeriod{2};

  // What it is given outlives it.
  PluginSet(Settings settings, hub::Hub& hub, base::Loop& loop, base::IdSource& ids,
            base::Log& log);
  // REQUIRES: stopped.
  ~PluginSet();
  PluginSet(const PluginSet&) = delete;
  PluginSet& operator=(const PluginSet&) = delete;

  // Begins to load every *.so of the folder: first those that the order names, then the others by
  // their file names. One that fails is logged with its reason, and the others serve. From then on
  // the folder is watched. A folder that is not there may come later. Fails where it is there but
  // cannot be read, or the folder for private copies cannot be used.
  base::Status begin();

  // Nothing is under way and nothing is in line: what the folder holds is served, or refused. Or
  // nothing can be done any more, because a plugin's constructor hangs in the loader.
  bool is_settled() const { return (!is_busy_ && queue_.empty()) || is_stuck_; }

  // Takes new settings, as far as they can change while it runs: all but the folders. A plugin
  // whose table changed is told, or, where it cannot be, replaced by a new generation of itself.
  void apply(const Settings& settings);

  // Looks at the whole folder again, for what the kernel did not report, and at the files that were
  // refused, for what may have been the host's fault. (Where that ran out of descriptors, memory or
  // room on the disk, it looks by itself again, every kRetryPeriod.)
  void rescan();

  // The folder for private copies, which others of this process may use too; empty: there is none.
  const std::filesystem::path& runtime_folder() const { return copies_->folder(); }

  // Begins to stop them, last one first; nothing is loaded any more.
  void begin_stop();
  // All have been stopped, as far as they can be.
  bool is_stopped() const {
    return plugins_.empty() && retirements_.under_way() == 0 && errands_.running() == 0;
  }
  // Code of one may still run. Then no destructor may take away what it uses.
  bool has_left_behind() const { return !is_stopped() || retirements_.has_left_behind(); }

  // A plugin that serves.
  struct Plugin {
    std::string name;
    std::filesystem::path file;
    files::FileStamp stamp;     // of the file, as it was loaded
    std::string config;         // its table, as its generation was given it
    std::string table_refusal;  // why it keeps another table than the configuration has; or empty
    std::unique_ptr<Generation> generation;
    std::chrono::system_clock::time_point since;  // this generation serves
  };
  // In the order in which their channels are asked.
  const std::vector<std::unique_ptr<Plugin>>& plugins() const { return plugins_; }

  // A file that is not served, and why.
  struct Refusal {
    std::filesystem::path file;
    std::string reason;
  };
  // By their files.
  std::vector<Refusal> refusals() const;

  const Retirements& retirements() const { return retirements_; }

 private:
  // A file as it was looked at last.
  struct Seen {
    std::optional<files::FileStamp> stamp;
    std::string plugin;      // the name that is in it, where that is known
    std::string refusal;     // empty: it serves
    bool is_second = false;  // refused only because another file serves that name
    bool is_short = false;   // refused because the machine ran out of something
  };
  struct Work {
    std::filesystem::path file;
    bool is_forced = false;   // also where its stamp has not changed
    bool has_waited = false;  // a file that is gone: the others in line were looked at first
  };
  // An image on its way from a file, shared by the loop and the thread that opens it.
  struct Opening {
    std::filesystem::path file;
    Callee callee;  // while it is opened
    std::set<pid_t> earlier_threads;
    std::optional<Library> library;
    std::optional<Manifest> manifest;
    std::string failure;
    FileTrust trust;
    bool is_short = false;     // the machine ran out of something
    bool is_given_up = false;  // loop thread
  };
  // What a generation is started from.
  struct Source {
    std::filesystem::path file;
    files::FileStamp stamp;
    std::string config;
  };
  // What stays of a plugin's name when its generations go.
  struct Record {
    std::uint64_t generations = 0;
    std::shared_ptr<Tally> tally = std::make_shared<Tally>();
  };

  // plugin_set.cpp: files, one after the other, as far as their images
  void begin_crash_reports();
  bool is_set_aside(const std::filesystem::path& file, const files::FileStamp& stamp) const;
  void watch();
  void look_at_all();
  void add_work(Work work);
  void next();
  void end_work();
  void look_at(const Work& work);
  bool take_new_name(const std::filesystem::path& file, const files::FileStamp& stamp);
  void file_gone(const std::filesystem::path& file);
  std::optional<std::filesystem::path> take_second(const std::string& plugin);
  void refuse(const std::filesystem::path& file, const std::string& reason);
  static void load(Opening& opening, const PrivateCopies& copies);
  void open(const std::filesystem::path& file);
  void opened(const std::shared_ptr<Opening>& opening);
  void discard(Opening& opening);
  void refuse_for_now(const std::filesystem::path& file, const std::string& reason);
  void try_again();

  // plugin_set_changes.cpp: what comes of them
  void change(const std::filesystem::path& file, Opening& opening);
  void changed(const Source& source, Changeover::Outcome outcome);
  void installed(const Source& source, Changeover::Outcome outcome);
  void remove(Plugin& plugin);
  void update_config(Plugin& plugin);
  void warn_of_names();

  Plugin* find(const std::string& name) const;
  Plugin* find_by_file(const std::filesystem::path& file) const;
  std::vector<hub::Channel*> channels_without(const Plugin* left_out) const;
  void sort_plugins();

  Settings settings_;
  HostThreads host_threads_;
  const Surroundings surroundings_;
  Errands errands_;
  Retirements retirements_;
  std::unique_ptr<PrivateCopies> copies_;
  std::optional<CrashHistory> crashes_;
  std::unique_ptr<CrashReporter> crash_reporter_;
  std::unique_ptr<files::FileWatcher> watcher_;  // null: files are not watched
  std::vector<std::unique_ptr<Plugin>> plugins_;
  std::map<std::filesystem::path, Seen> files_;
  std::map<std::string, Record> records_;
  std::deque<Work> queue_;
  std::unique_ptr<Changeover> changeover_;
  base::TimerId retry_ = 0;  // while a file is refused for want of something
  bool is_busy_ = false;
  bool is_stuck_ = false;  // in opening a file, whose constructor hangs
  bool is_stopping_ = false;
  bool are_names_due_ = false;  // to be looked at when all is settled
};

}  // namespace jackfield::plugin
