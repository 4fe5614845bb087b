# find_package(Jackfield) gives the target jackfield_api and the function jackfield_add_plugin.
include(${CMAKE_CURRENT_LIST_DIR}/JackfieldPlugin.cmake)
