/* A shared object that is no plugin. */
#include "jackfield.h"

extern JF_EXPORT int no_plugin;
JF_EXPORT int no_plugin = 1;
