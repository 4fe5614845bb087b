// The table of functions that a plugin is given (jf_host), over its generation. The only functions
// that plugins call; each checks what it is given before anything is done.
#pragma once

#include "jackfield.h"

namespace jackfield::plugin {

class Generation;

// Lives no longer than `generation`.
jf_host make_host_table(Generation& generation);

}  // namespace jackfield::plugin
