#include "tests/bench/servers/nchan_kind.hpp"

#include "tests/bench/servers/program.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

// What a publisher is told after each message, where it does not subscribe too.
constexpr std::string_view kPublished = "queued messages: ";

std::string configuration(const fs::path& module, const Launch& launch) {
  // nginx closes connections when less than a sixteenth of these is free.
  const std::size_t places = launch.connections + launch.connections / 8 + 256;
  const std::string folder = launch.folder.string();
  // One process; nothing is logged, kept or limited.
  return "load_module " + module.string() + ";\n" +
         "daemon off;\n"
         "master_process off;\n"
         "pid " + folder + "/pid;\n"
         "error_log stderr error;\n"
         "events { worker_connections " + std::to_string(places) + "; multi_accept on; }\n"
         "http {\n"
         "  access_log off;\n"
         "  tcp_nodelay on;\n"
         "  client_max_body_size 16m;\n"
         "  client_body_temp_path " + folder + "/body;\n"
         "  proxy_temp_path " + folder + "/proxy;\n"
         "  fastcgi_temp_path " + folder + "/fastcgi;\n"
         "  uwsgi_temp_path " + folder + "/uwsgi;\n"
         "  scgi_temp_path " + folder + "/scgi;\n"
         "  nchan_shared_memory_size 1024m;\n"
         "  server {\n"
         "    listen 127.0.0.1:" + std::to_string(launch.port) + " backlog=4096;\n"
         "    location ~ ^/topic/(.+)$ {\n"
         "      nchan_pubsub websocket;\n"
         "      nchan_channel_id $1;\n"
         "      nchan_store_messages off;\n"
         "      nchan_subscriber_first_message newest;\n"
         "    }\n"
         "    location ~ ^/publish/(.+)$ {\n"
         "      nchan_publisher websocket;\n"
         "      nchan_channel_id $1;\n"
         "      nchan_store_messages off;\n"
         "    }\n"
         "  }\n"
         "}\n";
}

}  // namespace

Dialect::Opening NchanDialect::opening(const std::vector<std::string>& topics) const {
  // One without a topic is on one that nobody uses.
  return {.target = "/topic/" + (topics.empty() ? std::string("none") : topics.front()),
          .subprotocol = ""};
}

Dialect::Opening NchanDialect::publisher_opening(const std::vector<std::string>& topics) const {
  return {.target = "/publish/" + (topics.empty() ? std::string("none") : topics.front()),
          .subprotocol = ""};
}

void NchanDialect::publish(std::string_view, std::string_view body, Frames& frames) const {
  frames.emplace_back(body);
}

void NchanDialect::echo(std::string_view topic, std::string_view body, Frames& frames) const {
  publish(topic, body, frames);
}

std::size_t NchanDialect::read(std::string_view bytes, std::size_t, Inbox& inbox) const {
  if (!bytes.starts_with(kPublished)) inbox.message(bytes);
  return bytes.size();
}

NchanKind::NchanKind() : nginx_(find_program("nginx")) {
  if (nginx_.empty()) return;
  const std::string settings = run_program({nginx_.string(), "-V"}).output;
  nginx_version_ = word_after(settings, "nginx/");
  std::string modules = word_after(settings, "--modules-path=");
  if (modules.empty()) modules = "/usr/lib/nginx/modules";
  module_ = fs::path(modules) / "ngx_nchan_module.so";
}

std::string NchanKind::missing() const {
  if (nginx_.empty()) return "not installed: nginx";
  std::error_code error;
  return fs::exists(module_, error) ? "" : "not installed: nchan (" + module_.string() + ")";
}

std::string NchanKind::version() const {
  // The module does not say which it is; Debian does.
  const fs::path query = find_program("dpkg-query");
  if (query.empty()) return nginx_version_;
  const Outcome outcome =
      run_program({query.string(), "-W", "-f", "${Version}", "libnginx-mod-nchan"});
  return nginx_version_ + (outcome.is_good ? ", nchan " + outcome.output : "");
}

Command NchanKind::prepare(const Launch& launch) const {
  const fs::path path = launch.folder / "nginx.conf";
  write_file(path, configuration(module_, launch));
  return {nginx_.string(), "-p", launch.folder.string(), "-c", path.string()};
}

}  // namespace jackfield::bench
