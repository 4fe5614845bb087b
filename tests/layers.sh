#!/bin/sh
# Proves, from the #include lines, that the folders are layers:
#
#     sh tests/layers.sh          first that this check finds violations planted into a tree of its
#                                 own, then that the repository has none
#     sh tests/layers.sh FOLDER   only that FOLDER, a tree like the repository's, has none
#
# Prints each violation as FILE:LINE: a sentence; exits with 1 where there are any.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1

# Reads FILE:LINE:TEXT of all include lines. Paths are from the tree's root.
check_lines() {
  awk '
    function violation(sentence) { print place ": " sentence; count++ }

    # What each layer may include of the others. "settings" is other layers'"'"' settings.hpp only.
    BEGIN {
      allowed["base"] = " base "
      allowed["files"] = " files base "
      allowed["wire"] = " wire base "
      allowed["hub"] = " hub wire base "
      allowed["access"] = " access hub wire files base "
      allowed["plugin"] = " plugin hub wire files base "
      allowed["http"] = " http hub wire base "
      allowed["net"] = " net http access hub wire base "
      allowed["config"] = " config base settings "
      allowed["daemon"] = " daemon config net http access plugin hub wire files base "
      allowed["main.cpp"] = allowed["daemon"]
    }

    # A library that only one file of one layer may include.
    function check_single(library, layer, wanted) {
      if (layer != wanted) {
        violation(library " belongs into core/" wanted " only")
      } else if (library in user && user[library] != file) {
        violation(library " is included by " user[library] " already, one file may")
      } else {
        user[library] = file
      }
    }

    # Many headers: one file of core/access, and those of core/net that are about TLS.
    function check_openssl(layer) {
      if (layer == "net" && file ~ /\/(openssl|tls)[a-z_]*\.[a-z]+$/) return
      if (layer != "access") {
        violation("OpenSSL belongs into core/access and the TLS of core/net only")
      } else if (openssl_user != "" && openssl_user != file) {
        violation("OpenSSL is included by " openssl_user " already, one file may")
      } else {
        openssl_user = file
      }
    }

    function check_library(layer, header) {
      if (header ~ /^(libwebsockets|lws)/) {
        if (layer != "net") violation("libwebsockets belongs into core/net only")
      } else if (header ~ /^uv(\.h$|\/)/) {
        if (layer != "net") violation("libuv belongs into core/net only")
      } else if (header == "jwt.h") {
        check_single("libjwt", layer, "access")
      } else if (header ~ /^openssl\//) {
        check_openssl(layer)
      } else if (header ~ /^boost\/dll/) {
        check_single("Boost.DLL", layer, "plugin")
      } else if (header ~ /^boost\//) {
        if (layer != "plugin") violation("Boost belongs into core/plugin only")
      } else if (tolower(header) ~ /^(cjson\/)?cjson(_utils)?\.h$/) {
        check_single("cJSON", layer, "wire")
      } else if (header ~ /^toml(\+\+|plusplus)?[\/.]/) {
        check_single("toml++", layer, "config")
      } else if (header ~ /^CLI\//) {
        if (layer != "daemon" && layer != "main.cpp")
          violation("CLI11 belongs into core/daemon and core/main.cpp only")
      } else if (header ~ /^jackfield[a-z_]*\.h/) {
        if (header != "jackfield.h" || (layer != "plugin" && layer != "daemon"))
          violation("only core/plugin and core/daemon know the ABI, by jackfield.h")
      } else if (header ~ /^(tests|plugins|plugin-api)\//) {
        violation("core does not include " header)
      }
    }

    function check_core(header, quoted,   parts, layer, target) {
      split(file, parts, "/")
      layer = parts[2]
      if (!(layer in allowed)) {
        violation("core/" layer " is no layer that this check knows")
        return
      }
      if (header !~ /^core\//) {
        if (quoted && header != "jackfield.h")
          violation("\"" header "\" must be written from the root, as \"core/...\"")
        check_library(layer, header)
        return
      }
      if (header ~ /\.\./) { violation("\"" header "\" must not go up"); return }
      split(header, parts, "/")
      target = parts[2]
      if (index(allowed[layer], " " target " ")) return
      if (index(allowed[layer], " settings ") && header ~ /^core\/[a-z]+\/settings\.hpp$/) return
      violation("core/" layer " may not include " header)
    }

    function check_api(header) {
      if (file ~ /\/jackfield\.h$/) {
        if (header != "stddef.h" && header != "stdint.h")
          violation("jackfield.h may include stddef.h and stdint.h only")
      } else if (header ~ /^jackfield[a-z_]*\.h(pp)?$/) {
        if (file ~ /\.h$/ && header ~ /\.hpp$/) violation("a C header includes " header)
      } else if (file ~ /\.h$/) {
        if (header != "stddef.h" && header != "stdint.h" && header != "string.h")
          violation("a C header of the ABI may include stddef.h, stdint.h and string.h only")
      } else if (header ~ /[.\/]/) {
        violation("a C++ header of the ABI may include the standard library only")
      }
    }

    {
      split($0, parts, ":")
      file = parts[1]
      place = file ":" parts[2]
      text = $0
      sub(/^[^#]*#[ \t]*include[ \t]*/, "", text)
      quoted = substr(text, 1, 1) == "\""
      if (!quoted && substr(text, 1, 1) != "<") {
        violation("an include that this check cannot read")
        next
      }
      header = substr(text, 2)
      sub(/[">].*/, "", header)
      lines++
      if (file ~ /^core\//) check_core(header, quoted)
      else if (file ~ /^plugin-api\/include\//) check_api(header)
      else if (header ~ /^core\//) violation("a plugin knows nothing of core")
    }

    END {
      if (lines == 0) { print "no include line was found"; exit 1 }
      exit count > 0
    }'
}

check_tree() {
  (
    cd "$1" || exit 1
    find core plugin-api/include plugins -type f \
      \( -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cpp' \) \
      -exec grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null {} + |
      LC_ALL=C sort -t: -k1,1 -k2,2n | check_lines
  )
}

# ---- The check of the check ---------------------------------------------------------------------

tree=
trap '[ -z "$tree" ] || rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM

# One tree with nothing wrong, and all that is allowed but rare.
plant_clean() {
  mkdir -p "$tree/core/base" "$tree/core/files" "$tree/core/wire" "$tree/core/hub" \
    "$tree/core/access" "$tree/core/plugin" "$tree/core/http" "$tree/core/net" "$tree/core/config" "$tree/core/daemon" \
    "$tree/plugin-api/include" "$tree/plugins/echo"
  put core/base/log.hpp '#include <string>'
  put core/files/watcher.hpp '#include "core/base/log.hpp"'
  put core/wire/json.cpp '#include "core/base/log.hpp"' '#include <cjson/cJSON.h>'
  put core/hub/hub.hpp '#include "core/wire/json.hpp"' '// #include "core/net/server.hpp"'
  put core/access/crypto.cpp '#include <openssl/evp.h>' '#include <openssl/pem.h>'
  put core/access/gate.hpp '#include "core/hub/hub.hpp"' '#include "core/files/watcher.hpp"'
  put core/access/jwt.cpp '#include <jwt.h>' '#include "core/wire/json.hpp"'
  put core/plugin/library.cpp '#include "core/hub/hub.hpp"' '#include "core/files/watcher.hpp"' \
    '#include "jackfield.h"' \
    '#include <boost/dll/shared_library.hpp>' '#include <boost/dll/runtime_symbol_info.hpp>'
  put core/http/health.cpp '#include "core/hub/hub.hpp"'
  put core/net/server.cpp '#include "core/http/health.hpp"' '#include "core/access/gate.hpp"' '#include <libwebsockets.h>' \
    '#include <uv.h>'
  put core/net/tls_x.cpp '#include <openssl/ssl.h>' '#include <openssl/x509.h>'
  put core/config/config.cpp '#include "core/net/settings.hpp"' '# include <toml++/toml.h>'
  put core/daemon/daemon.cpp '#include "core/config/config.hpp"' '#include <CLI/CLI.hpp>'
  put core/main.cpp '#include "core/daemon/daemon.hpp"'
  put plugin-api/include/jackfield.h '#include <stddef.h>' '#include <stdint.h>'
  put plugin-api/include/jackfield_json.h '#include <string.h>' '#include "jackfield.h"'
  put plugin-api/include/jackfield.hpp '#include <vector>' '#include "jackfield_json.h"'
  put plugins/echo/echo.c '#include "jackfield.h"' '#include <stdio.h>'
}

# put FILE LINE...
put() {
  destination=$tree/$1
  shift
  printf '%s\n' "$@" >"$destination"
}

# plant FILE LINE EXPECTED: the clean tree with one more file must give exactly one violation.
plant() {
  plant_clean
  put "$1" "$2"
  found=$(check_tree "$tree")
  status=$?
  rm -f "$tree/$1"
  [ "$status" -eq 1 ] && [ "$found" = "$1:1: $3" ] && return 0
  printf 'planted in %s: %s\nexpected: %s\nfound: %s\n' "$1" "$2" "$1:1: $3" "$found"
  failed=1
}

self_check() {
  tree=$(mktemp -d) || exit 1
  failed=0
  plant_clean
  if ! found=$(check_tree "$tree"); then
    printf 'a tree with nothing wrong gives:\n%s\n' "$found"
    failed=1
  fi
  plant core/base/x.hpp '#include "core/wire/json.hpp"' \
    'core/base may not include core/wire/json.hpp'
  plant core/files/x.hpp '#include "core/wire/json.hpp"' \
    'core/files may not include core/wire/json.hpp'
  plant core/hub/x.hpp '#include "core/files/watcher.hpp"' \
    'core/hub may not include core/files/watcher.hpp'
  plant core/wire/x.hpp '#include "core/hub/hub.hpp"' 'core/wire may not include core/hub/hub.hpp'
  plant core/hub/x.cpp '#include "core/plugin/library.hpp"' \
    'core/hub may not include core/plugin/library.hpp'
  plant core/hub/x.cpp '  #  include "core/net/server.hpp"' \
    'core/hub may not include core/net/server.hpp'
  plant core/hub/x.cpp '#include "core/access/gate.hpp"' \
    'core/hub may not include core/access/gate.hpp'
  plant core/access/x.cpp '#include "core/net/server.hpp"' \
    'core/access may not include core/net/server.hpp'
  plant core/access/x.cpp '#include <libwebsockets.h>' 'libwebsockets belongs into core/net only'
  plant core/plugin/x.cpp '#include "core/access/gate.hpp"' \
    'core/plugin may not include core/access/gate.hpp'
  plant core/config/x.cpp '#include "core/access/gate.hpp"' \
    'core/config may not include core/access/gate.hpp'
  plant core/access/z.cpp '#include <openssl/sha.h>' \
    'OpenSSL is included by core/access/crypto.cpp already, one file may'
  plant core/net/x.cpp '#include <openssl/ssl.h>' \
    'OpenSSL belongs into core/access and the TLS of core/net only'
  plant core/access/z.cpp '#include <jwt.h>' \
    'libjwt is included by core/access/jwt.cpp already, one file may'
  plant core/daemon/x.cpp '#include <jwt.h>' 'libjwt belongs into core/access only'
  plant core/plugin/x.cpp '#include "core/net/server.hpp"' \
    'core/plugin may not include core/net/server.hpp'
  plant core/http/x.cpp '#include "core/net/server.hpp"' \
    'core/http may not include core/net/server.hpp'
  plant core/net/x.cpp '#include "core/plugin/library.hpp"' \
    'core/net may not include core/plugin/library.hpp'
  plant core/net/x.cpp '#include <core/config/config.hpp>' \
    'core/net may not include core/config/config.hpp'
  plant core/config/x.cpp '#include "core/hub/hub.hpp"' \
    'core/config may not include core/hub/hub.hpp'
  plant core/config/x.cpp '#include "core/config/../hub/hub.hpp"' \
    '"core/config/../hub/hub.hpp" must not go up'
  plant core/hub/x.cpp '#include "../net/server.hpp"' \
    '"../net/server.hpp" must be written from the root, as "core/..."'
  plant core/hub/x.cpp '#include HEADER' 'an include that this check cannot read'
  plant core/hub/x.cpp '#include <libwebsockets.h>' 'libwebsockets belongs into core/net only'
  plant core/daemon/x.cpp '#include <uv.h>' 'libuv belongs into core/net only'
  plant core/plugin/z.cpp '#include <boost/dll.hpp>' \
    'Boost.DLL is included by core/plugin/library.cpp already, one file may'
  plant core/daemon/x.cpp '#include <boost/dll.hpp>' 'Boost.DLL belongs into core/plugin only'
  plant core/net/x.cpp '#include <boost/asio.hpp>' 'Boost belongs into core/plugin only'
  plant core/wire/z.cpp '#include <cjson/cJSON.h>' \
    'cJSON is included by core/wire/json.cpp already, one file may'
  plant core/hub/x.cpp '#include <cjson/cJSON.h>' 'cJSON belongs into core/wire only'
  plant core/config/z.cpp '#include <toml++/toml.h>' \
    'toml++ is included by core/config/config.cpp already, one file may'
  plant core/net/x.cpp '#include <CLI/CLI.hpp>' \
    'CLI11 belongs into core/daemon and core/main.cpp only'
  plant core/hub/x.cpp '#include "jackfield.h"' \
    'only core/plugin and core/daemon know the ABI, by jackfield.h'
  plant plugins/echo/x.c '#include "core/base/log.hpp"' 'a plugin knows nothing of core'
  plant plugin-api/include/jackfield_x.h '#include <stdio.h>' \
    'a C header of the ABI may include stddef.h, stdint.h and string.h only'
  plant plugin-api/include/jackfield.h '#include <string.h>' \
    'jackfield.h may include stddef.h and stdint.h only'
  plant plugin-api/include/jackfield_x.hpp '#include <cjson/cJSON.h>' \
    'a C++ header of the ABI may include the standard library only'
  [ "$failed" -eq 0 ] || exit 1
}

case $# in
  0)
    self_check
    check_tree "$root"
    ;;
  1) check_tree "$1" ;;
  *)
    echo "usage: sh tests/layers.sh [FOLDER]" >&2
    exit 2
    ;;
esac
