#include "core/daemon/command_line.hpp"

int main(int argc, char** argv) { return jackfield::daemon::run_command_line(argc, argv); }
