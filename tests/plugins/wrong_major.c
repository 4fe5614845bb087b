/* Built for another major version of the ABI: the symbol has its number. */
#include "jackfield.h"

extern JF_EXPORT const jf_plugin jackfield_plugin_v2;
JF_EXPORT const jf_plugin jackfield_plugin_v2 = {(uint32_t)sizeof(jf_plugin),
                                                 0,
                                                 JF_TEXT("wrong_major"),
                                                 JF_TEXT("9.0.0"),
                                                 JF_TEXT("too new"),
                                                 JF_TEXT("MIT"),
                                                 NULL,
                                                 NULL,
                                                 NULL,
                                                 NULL,
                                                 NULL};
