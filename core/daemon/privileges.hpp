// Giving up root: a server that root starts takes what only root may (ports below 1024, limits,
// keys that only root can read), and then becomes the user that the configuration names, for good.
// For the thread that runs main, before any other thread and before any code of a plugin: the
// kernel keeps rights by thread (credentials(7)). glibc has its other threads follow, which covers
// those that a library may have made by then; that none keeps anything is checked.
//
// What is left, of this thread and any other: the user's and group's numbers, real, effective and
// saved; the user's supplementary groups; no capability in any set, the bounding set included where
// root may empty that (CAP_SETPCAP, which some containers withhold); and no_new_privs, so that no
// file that is executed later gives any back, be it setuid or not (PR_SET_NO_NEW_PRIVS(2const)).
#pragma once

#include <optional>

#include "core/base/account_names.hpp"
#include "core/base/result.hpp"
#include "core/daemon/settings.hpp"

namespace jackfield::daemon {

// Fails with a sentence where the settings contradict themselves, on whatever machine: a group
// without a user that would be it, or for root, who gives up nothing.
base::Status check_process_settings(const Settings& settings);

// Whom the settings name; nothing where they name nobody. Fails with a sentence where they
// contradict themselves, where there is no such user or group on this machine, and where this
// process is neither root nor that user already. A user that is given by number need not have an
// entry in /etc/passwd if the group is given too.
base::Result<std::optional<base::Account>> find_process_user(const Settings& settings);

// Becomes that user, or gives up what else there is where it is that user already. Nothing where
// the user is root: that was asked for, and who calls says so. A failure's sentence is the end of
// the process: it may be neither the one nor the other.
//
// The kernel makes a process that changes its user one that leaves no core dump and that its user
// may not look into (PR_SET_DUMPABLE). This makes it an ordinary one again, because the server
// looks at its own threads under /proc to know whether a plugin may be unmapped. So a core dump is
// the operator's to forbid (RLIMIT_CORE), and the user should have no other processes.
base::Status become_process_user(const base::Account& account);

}  // namespace jackfield::daemon
