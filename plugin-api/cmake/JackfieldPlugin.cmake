# jackfield_add_plugin(NAME SOURCE... [OUTPUT_DIRECTORY DIR])
#
# Builds NAME.so, a Jackfield plugin, as the target NAME. It exports one symbol, and a symbol that
# is missing is found when it is linked, not when it is loaded. It is put into DIR, by default
# ${CMAKE_BINARY_DIR}/plugins. Link further libraries with target_link_libraries(NAME PRIVATE ...);
# prefer static ones (the server unloads the plugin, but not always what it pulled in).

# Outside of Jackfield's own tree the headers are found from where this file lies.
if(NOT TARGET jackfield_api)
  find_path(JACKFIELD_INCLUDE_DIR jackfield.h
    HINTS ${CMAKE_CURRENT_LIST_DIR}/../include ${CMAKE_CURRENT_LIST_DIR}/../../../include
          ${CMAKE_CURRENT_LIST_DIR}/../../../../include
    REQUIRED)
  add_library(jackfield_api INTERFACE)
  target_include_directories(jackfield_api INTERFACE ${JACKFIELD_INCLUDE_DIR})
endif()

get_property(jackfield_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if("CXX" IN_LIST jackfield_languages)
  # Symbols that are unique over the whole process keep a C++ image from being unloaded. Only GCC
  # makes them, so only GCC knows the option.
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fno-gnu-unique JACKFIELD_HAS_NO_GNU_UNIQUE)
endif()

function(jackfield_add_plugin name)
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  cmake_parse_arguments(arg "" "OUTPUT_DIRECTORY" "SOURCES" ${ARGN})
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  endif()
  add_library(${name} MODULE ${arg_SOURCES} ${arg_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${map})
  target_link_libraries(${name} PRIVATE jackfield_api)
  if(TARGET jackfield_flags)
    target_link_libraries(${name} PRIVATE jackfield_flags)
  endif()
  if(JACKFIELD_HAS_NO_GNU_UNIQUE)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  if("CXX" IN_LIST languages AND NOT CMAKE_CXX_STANDARD)
    set_target_properties(${name} PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
  endif()
  target_link_options(${name} PRIVATE "LINKER:--version-script=${map}")
  # A sanitizer's runtime is in the executable: its symbols are missing here, rightly.
  get_directory_property(options COMPILE_OPTIONS)
  string(FIND "${JACKFIELD_SANITIZE} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${options}"
         "-fsanitize" sanitized)
  if(sanitized EQUAL -1 AND NOT JACKFIELD_SANITIZE)
    target_link_options(${name} PRIVATE "LINKER:-z,defs")
  endif()
endfunction()
